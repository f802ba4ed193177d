import { expect } from "chai";
import { composeMail } from "../../../apps/monitor/alert/message/compose.js";
import type { LedgerEvent } from "../../../lib/flag/ledger.js";
import { createKeys } from "../../../lib/redis/keys.js";
import {
  event,
  LATENCY_FLIP,
  MAIL_SETTINGS,
} from "../../support/alert/alert-event.js";

const compose = (from: LedgerEvent) => composeMail(from, MAIL_SETTINGS);
const subjectOf = (fields: Partial<LedgerEvent>) =>
  compose(event(fields)).subject;

describe("mail about an event", () => {
  it("reports a canary stopped for latency, with figures, retry and remedy", () => {
    const mail = compose(LATENCY_FLIP);
    expect(mail.subject).to.equal(
      "[serin] canary stopped: feature is off (p95 1,012 ms > 500 ms)",
    );
    expect(mail.text).to
      .equal(`canary stopped: feature is off (p95 1,012 ms > 500 ms)

canary p95 1,012 ms > 500 ms over 10 s (7 requests, 2 waiting)

  canary p95  ████████████████ 1,012 ms
  threshold   ███████▉ 500 ms

All requests go to prod, which serves without the feature. The monitor tries again at 2026-03-01 12:01:00 UTC, if the canary is healthy then.

Dashboard: https://serin.example.com

To switch feature on by hand, either of:
  redis-cli SET serin:flag:feature true
  curl -X POST http://127.0.0.1:8090/api/flags/feature -H 'content-type: application/json' -d '{"value":true,"reason":"…"}'

  side       canary
  quantile   0.95
  latency    1,012 ms
  threshold  500 ms
  window     10 s
  requests   7
  waiting    2
  p50        4.1 ms
  p95        1,012 ms
  by         monitor (latency rule)
  at         2026-03-01 12:00:00 UTC
  event      1772366400000-0
`);
    expect(mail.from).to.equal("serin@example.com");
    expect(mail.to).to.deep.equal(["ops@example.com", "dev@example.com"]);
  });

  it("has the same content in HTML, in one column with inline styles", () => {
    const { html } = compose(LATENCY_FLIP);
    expect(html).to.match(/^<!doctype html>/);
    expect(html).to.include(
      "canary stopped: feature is off (p95 1,012 ms &gt; 500 ms)</h1>",
    );
    expect(html).to.include(">redis-cli SET serin:flag:feature true</pre>");
    expect(html).to.match(/>latency<\/th><td [^>]*>1,012 ms<\/td>/);
    expect(html).to.include("width=device-width");
    expect(html).to.not.match(/<script|<img|<link|<svg|url\(/);
  });

  it("draws the canary before and after, prod and threshold, without an image", () => {
    const data = {
      ...LATENCY_FLIP.data,
      canaryBeforeMs: 5.1,
      canaryLatencyMs: 1012.3,
      prodLatencyMs: 4.2,
    };
    const { text, html } = compose(event({ data }));
    expect(text).to.include(`
  canary p95 before  ▏ 5.1 ms
  canary p95         ████████████████ 1,012 ms
  prod p95           ▏ 4.2 ms
  threshold          ███████▉ 500 ms
`);
    expect(html).to.match(/<div class="subject" style="width:100%;/);
    expect(html).to.match(/<div class="baseline" style="width:1%;/);
    expect(html).to.match(/<div class="limit" style="width:49%;/);
  });

  it("draws CPU beside its threshold", () => {
    const data = { alert: "cpu", cpuRatio: 0.99, threshold: 0.9 };
    expect(compose(event({ kind: "alert", data })).text).to.include(`
  CPU        ████████████████ 99 %
  threshold  ██████████████▌ 90 %
`);
  });

  it("links to the dashboard", () => {
    expect(compose(LATENCY_FLIP).html).to.match(
      /<a [^>]*href="https:\/\/serin\.example\.com"[^>]*>Open the dashboard<\/a>/,
    );
  });

  it("names prod when prod is the slow side", () => {
    const data = { ...LATENCY_FLIP.data, side: "prod" };
    expect(subjectOf({ data })).to.equal(
      "[serin] canary stopped: feature is off (prod p95 1,012 ms > 500 ms)",
    );
  });

  it("says that a latched flag waits for a person", () => {
    const data = { ...LATENCY_FLIP.data, nextTryAt: null, latched: true };
    const mail = compose(event({ data }));
    expect(mail.subject).to.equal(
      "[serin] canary stopped and latched: feature is off (p95 1,012 ms > 500 ms)",
    );
    expect(mail.text).to.include(
      "It is latched: it stays off until a person switches it on.",
    );
  });

  it("says that there is no retry when recovery is manual", () => {
    const data = { ...LATENCY_FLIP.data, nextTryAt: null };
    expect(compose(event({ data })).text).to.include(
      "The monitor does not try again: it stays off until a person switches it on.",
    );
  });

  it("reports the recovery, and how to switch off again", () => {
    const mail = compose(
      event({
        reason: "the cool-down of 60 s has passed",
        data: {
          flag: "feature",
          value: true,
          rule: "recovery",
          cooldownMs: 60_000,
        },
      }),
    );
    expect(mail.subject).to.equal("[serin] canary resumed: feature is on");
    expect(mail.text).to.equal(`canary resumed: feature is on

the cool-down of 60 s has passed

The canary gets its share of the requests again. If it goes bad again, it is stopped again, and the wait before the next try is longer.

Dashboard: https://serin.example.com

To switch feature off by hand, either of:
  redis-cli SET serin:flag:feature false
  curl -X POST http://127.0.0.1:8090/api/flags/feature -H 'content-type: application/json' -d '{"value":false,"reason":"…"}'

  cooldown  60 s
  by        monitor (recovery rule)
  at        2026-03-01 12:00:00 UTC
  event     1772366400000-0
`);
  });

  it("names author and reason, and that an operator's flip stays", () => {
    const mail = compose(
      event({
        by: "operator",
        reason: "budget is spent",
        data: { flag: "feature", value: false },
      }),
    );
    expect(mail.subject).to.equal(
      "[serin] canary stopped: feature is off (operator: budget is spent)",
    );
    expect(mail.text).to.include(
      "The monitor undoes only its own flips: it stays off until an operator switches it on.",
    );
    expect(mail.text).to.include("  by     operator\n");
  });

  it("reports a flag set directly in Redis", () => {
    const flip = {
      by: "operator",
      reason: 'the flag was set to "true" directly in Redis',
      data: { flag: "feature", value: true, direct: true },
    };
    expect(subjectOf(flip)).to.equal(
      '[serin] canary resumed: feature is on (operator: the flag was set to "true" directly in Redis)',
    );
    expect(compose(event(flip)).text).to.include(
      "The monitor keeps watching it.",
    );
  });

  it("reports an alert without a flip, and how to switch off", () => {
    const mail = compose(
      event({
        kind: "alert",
        reason: "the canary app on web1 has used more than 90 % of a core",
        data: {
          alert: "cpu",
          source: "agent@web1:3101",
          target: "canary",
          cpuRatio: 0.973,
          rssBytes: 61_341_696,
          windowMs: 30_000,
          lastSeenAt: "2026-03-01T11:59:59.000Z",
        },
      }),
    );
    expect(mail.subject).to.equal(
      "[serin] alert: the canary app on web1 has used more than 90 % of a core",
    );
    expect(mail.text).to
      .equal(`alert: the canary app on web1 has used more than 90 % of a core

Nothing was switched: the flag stays as it is.

Dashboard: https://serin.example.com

To switch feature off by hand, either of:
  redis-cli SET serin:flag:feature false
  curl -X POST http://127.0.0.1:8090/api/flags/feature -H 'content-type: application/json' -d '{"value":false,"reason":"…"}'

  alert         cpu
  source        agent@web1:3101
  target        canary
  cpu           97 %
  rss           61 MB
  window        30 s
  last seen at  2026-03-01 11:59:59 UTC
  by            monitor
  at            2026-03-01 12:00:00 UTC
  event         1772366400000-0
`);
  });

  it("offers no remedy for a test mail", () => {
    const mail = compose(event({ kind: "alert", data: { alert: "test" } }));
    expect(mail.text).to.not.include("by hand");
  });

  it("reports a silence with a remedy, and a cleared alert without one", () => {
    const data = { alert: "silence", source: "proxy@edge1:8080" };
    const reason = "the proxy proxy@edge1:8080 has fallen silent";
    expect(subjectOf({ kind: "silence", reason, data })).to.equal(
      "[serin] silence: the proxy proxy@edge1:8080 has fallen silent",
    );
    const over = compose(event({ kind: "recovery", reason: "heard again" }));
    expect(over.subject).to.equal("[serin] recovery: heard again");
    expect(over.text).to.not.include("by hand");
    expect(over.html).to.not.include("<pre");
  });

  it("adds the token to the command when the API requires it", () => {
    const { text } = composeMail(LATENCY_FLIP, {
      ...MAIL_SETTINGS,
      tokenRequired: true,
    });
    expect(text).to.include(
      `-H "authorization: Bearer $ADMIN_TOKEN" -d '{"value":true,"reason":"…"}'`,
    );
  });

  describe("with hostile or unknown content", () => {
    it("keeps the subject short and on one line", () => {
      const long = "long ".repeat(40);
      const reason = `first\r\nBcc: victim@example.com\n\n\u2028third ${long}`;
      const folded = `[serin] alert: first Bcc: victim@example.com third ${long}`;
      const { subject, text } = compose(event({ kind: "alert", reason }));
      expect(subject).to.equal(`${folded.slice(0, 119)}…`);
      expect(text).to.match(
        /^alert: first Bcc: victim@example\.com third long .*\n\n/,
      );
    });

    it("escapes HTML from every source", () => {
      const { html } = compose(
        event({
          reason: `<script>alert("1")</script> & 'more'`,
          data: { "<b>": "<img src=x onerror=alert(1)>", flag: "<i>" },
        }),
      );
      expect(html).to.include(
        "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;more&#39;",
      );
      expect(html).to.not.match(/<script|<img|<b>|<i>/);
    });

    it("puts only valid flag names into shell commands", () => {
      const data = { flag: "$(reboot)", value: false };
      expect(compose(event({ data })).text)
        .to.include("redis-cli SET serin:flag:feature true")
        .and.not.include("reboot");
    });

    it("shows unknown data as far as possible", () => {
      const { text, subject } = compose(
        event({
          kind: "deploy",
          reason: "",
          at: "not a time",
          data: {
            nested: { a: 1 },
            list: [1],
            nothing: null,
            isDry: true,
            note: "two\nlines",
            weight: 1_234_567.891,
            tinyMs: 0.0625,
          },
        }),
      );
      expect(subject).to.equal("[serin] deploy:");
      expect(text).to.include("  is dry  yes\n  note    two lines\n");
      expect(text).to.include("  weight  1,234,568\n  tiny    0.063 ms\n");
      expect(text).to.include("  at      not a time\n");
      expect(text).to.not.match(/nested|list|nothing/);
    });

    it("never throws", () => {
      const odd: unknown[] = [
        null,
        0,
        -1e308,
        1e308,
        "",
        "\u0000\ud800",
        [],
        {},
        true,
        "9".repeat(10_000),
      ];
      const names = [...Object.keys(LATENCY_FLIP.data), "at", "Ms", "seenAt"];
      for (const name of names)
        for (const value of odd) {
          const data = { ...LATENCY_FLIP.data, [name]: value };
          const mail = compose(event({ data, at: String(value) }));
          expect(mail.subject.length, name).to.be.at.most(120);
        }
    });
  });

  describe("identifies itself", () => {
    it("by the event, the key prefix and the sender's domain", () => {
      const { messageId, headers } = compose(LATENCY_FLIP);
      expect(messageId).to.equal("<serin%3a1772366400000-0@example.com>");
      expect(headers).to.deep.equal({
        "Auto-Submitted": "auto-generated",
        "X-Serin-Event": "serin:1772366400000-0",
      });
    });

    it("the same each time, and unlike another event's or another prefix's", () => {
      const keys = createKeys("serin-");
      const ids = [
        compose(LATENCY_FLIP),
        compose(event({ id: "1772366400000-1" })),
        composeMail(LATENCY_FLIP, { ...MAIL_SETTINGS, keys }),
      ].map(({ messageId }) => messageId);
      expect(new Set(ids).size).to.equal(3);
      expect(compose(LATENCY_FLIP)).to.deep.equal(compose(LATENCY_FLIP));
    });
  });
});
