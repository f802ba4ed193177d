import { expect } from "chai";
import { composeMail } from "../../../apps/monitor/alert/message/compose.js";
import { ActionLinks } from "../../../apps/monitor/alert/message/action-link.js";
import type { Background } from "../../../apps/monitor/alert/message/report.js";
import type { LedgerEvent } from "../../../lib/flag/ledger.js";
import { createKeys } from "../../../lib/redis/keys.js";
import {
  event,
  LATENCY_FLIP,
  LATENCY_REPORT,
  MAIL_SETTINGS,
  reportOf,
} from "../../support/alert/alert-event.js";

const compose = (from: LedgerEvent, background: Background = {}) =>
  composeMail({ ...reportOf(from), background }, MAIL_SETTINGS);
const subjectOf = (fields: Partial<LedgerEvent>) =>
  compose(event(fields)).subject;

describe("mail about an event", () => {
  it("says of a stop for latency what users have now, the harm and what happens next", () => {
    const mail = compose(LATENCY_FLIP);
    expect(mail.subject).to.equal(
      "[shop prod] 0.2.0 stopped: p95 1,012 ms > 500 ms",
    );
    expect(mail.text).to.equal(`0.2.0 stopped: p95 1,012 ms > 500 ms

canary p95 1,012 ms > 500 ms over 10 s (7 requests, 2 waiting)

  canary p95  ████████████████ 1,012 ms
  threshold   ███████▉ 500 ms

Users now: All requests go to prod (0.1.9), which serves without the feature.

Harm: 7 requests met the canary in 10 s: 7 took longer than 500 ms (2 still wait); none failed.

Change: 0.2.0

Next: The monitor lets it in again at 2026-03-01 12:01:00 UTC, if it is healthy then.

Open the page at that moment: https://serin.example.com/events/1772366400000-0

On the edge host:
  sudo serin why
  sudo serin flag off --reason "keep it stopped"

  side       canary
  quantile   0.95
  latency    1,012 ms
  threshold  500 ms
  window     10 s
  p50        4.1 ms
  p95        1,012 ms
  by         monitor (latency rule)
  at         2026-03-01 12:00:00 UTC
  event      1772366400000-0
`);
    expect(mail.from).to.equal("serin@example.com");
    expect(mail.to).to.deep.equal(["ops@example.com", "dev@example.com"]);
  });

  it("says what users miss now, and missed until the resume", () => {
    const missed = { withoutFeature: "9 requests/s without the feature" };
    const now = (from: LedgerEvent, background = missed) =>
      /^Users now: (.*)$/m.exec(compose(from, background).text)?.[1];
    expect(now(LATENCY_FLIP)).to.equal(
      "All requests go to prod (0.1.9), which answers 9 requests/s without the feature.",
    );
    const data = { flag: "feature", value: true };
    expect(now(event({ data }))).to.equal(
      "The canary gets its share of the requests again. Until then, prod answered 9 requests/s without the feature.",
    );
    expect(now(event({ kind: "alert", data: { alert: "cpu" } }))).to.equal(
      "Nothing was switched: the flag stays as it is. Prod answers 9 requests/s without the feature.",
    );
  });

  it("names the commands as people run them", () => {
    const { text, html } = composeMail(reportOf(LATENCY_FLIP), {
      ...MAIL_SETTINGS,
      command: "npx serin",
    });
    expect(text).to.include("In a terminal:\n  npx serin why\n");
    expect(html).to.include(">npx serin why<br>");
  });

  it("has the same content in HTML, in one column with inline styles", () => {
    const { html } = compose(LATENCY_FLIP);
    expect(html).to.match(/^<!doctype html>/);
    expect(html).to.include("0.2.0 stopped: p95 1,012 ms &gt; 500 ms</h1>");
    expect(html).to.include(
      "<strong>Users now:</strong> All requests go to prod (0.1.9), which serves without the feature.",
    );
    expect(html).to.include(
      ">sudo serin why<br>sudo serin flag off --reason &quot;keep it stopped&quot;</td>",
    );
    expect(html).to.match(/>latency<\/td><td [^>]*>1,012 ms<\/td>/);
    expect(html).to.include("width=device-width");
    expect(html).to.not.match(/<script|<img|<link|<svg|<div|url\(/);
  });

  it("draws the canary in red when it is over, and prod and the threshold beside it", () => {
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
    expect(html).to.match(/<td class="over" width="100%" height="14"/);
    expect(html).to.match(
      /<td class="baseline" width="1%" [^>]+>&nbsp;<\/td><td width="99%">/,
    );
    expect(html).to.match(/<td class="limit" width="49%"/);
  });

  it("omits a canary that was as slow before", () => {
    const data = { ...LATENCY_FLIP.data, canaryBeforeMs: 990 };
    expect(compose(event({ data })).text).to.not.include("before");
  });

  it("draws CPU beside its threshold", () => {
    const data = { alert: "cpu", cpuRatio: 0.99, threshold: 0.9 };
    expect(compose(event({ kind: "alert", data })).text).to.include(`
  CPU        ████████████████ 99 %
  threshold  ██████████████▌ 90 %
`);
  });

  it("reports a verdict with its route's figures, and evidence as odds everywhere", () => {
    const reason =
      "canary 2.1 × slower than prod on GET /cart after 61 canary requests; evidence 200 : 1";
    const { subject, text, html } = compose(
      event({
        reason,
        data: {
          ...{ flag: "feature", value: false, rule: "verdict", side: "canary" },
          ...{ brief: "2.1 × slower on GET /cart", version: "0.2.0" },
          ...{ evidence: 5.3, evidenceToStop: 4.6, canaryRequests: 61 },
          ...{ prodRequests: 183, failed: 0, route: "GET /cart" },
          ...{ quantile: 0.5, canaryLatencyMs: 87.4, prodLatencyMs: 41.2 },
          ...{ nextTryAt: null, latched: false },
        },
      }),
    );
    expect(subject).to.equal(
      "[shop prod] 0.2.0 stopped: 2.1 × slower on GET /cart",
    );
    expect(text).to.include(`${reason}

  canary p50  ████████████████ 87 ms
  prod p50    ███████▌ 41 ms
`);
    expect(text).to.include(
      "\nHarm: GET /cart took 87 ms instead of 41 ms (p50).\n",
    );
    expect(text).to.include(
      "\nNext: This version stays off until a person lets it in. The monitor lets in another version by itself, once its probes were healthy for the cool-down.\n",
    );
    expect(text).to.match(
      / {2}evidence +200 : 1\n {2}evidence to stop +99 : 1\n/,
    );
    expect(html).to.match(/class="over" width="100%"/);
  });

  it("counts whom the stop has harmed as the terminal does, not as the verdict", () => {
    const data = {
      ...{ flag: "feature", value: false, rule: "verdict" },
      ...{ canaryRequests: 0, prodRequests: 0, failed: 0 },
    };
    const harm = {
      ...{ requests: 17, waited: 0, failed: 6 },
      ...{ rescued: 5, prodFailed: 0 },
    };
    expect(compose(event({ data }), { harm }).text).to.include(
      "\nHarm: 17 canary requests · 6 users got an error · prod answered 5 in its place · prod untouched.\n",
    );
  });

  it("names the commit, the author and the deploy, and links to the change", () => {
    const version = "0.2.0-20260301114500-81fd353b24";
    const background = {
      version,
      change: {
        ...{ commit: "81fd353b24", before: "0c1d2e3f4a", author: "Ann" },
        ...{ subject: "Faster cart", deployedAt: "2026-03-01T11:46:00.000Z" },
      },
    };
    const data = { ...LATENCY_FLIP.data, version };
    const commitUrl = "https://git.example.com/compare/{before}...{commit}";
    const { subject, text, html } = composeMail(
      { event: event({ data }), others: [], background },
      { ...MAIL_SETTINGS, commitUrl },
    );
    expect(subject).to.equal(
      "[shop prod] 0.2.0-81fd353 stopped: p95 1,012 ms > 500 ms",
    );
    expect(text).to.include(`
Change: ${version} by Ann (81fd353b24: Faster cart), deployed at 2026-03-01 11:46:00 UTC, 14 min before
https://git.example.com/compare/0c1d2e3f4a...81fd353b24
`);
    expect(html).to.include(
      'href="https://git.example.com/compare/0c1d2e3f4a...81fd353b24"',
    );
  });

  it("has no link to a change of which the commit before is unknown", () => {
    const background = { change: { commit: "81fd353b24" } };
    const commitUrl = "https://git.example.com/compare/{before}...{commit}";
    const { text } = composeMail(
      { ...LATENCY_REPORT, background },
      { ...MAIL_SETTINGS, commitUrl },
    );
    expect(text).to.not.include("git.example.com");
  });

  it("takes from the background what the event does not say", () => {
    const flip = event({
      by: "proxy",
      reason: "the canary failed 5 requests in a row, prod 0 of 20",
      data: { flag: "feature", value: false, rule: "breaker" },
    });
    const { subject, text } = compose(flip, {
      version: "0.2.0",
      prodVersion: "0.1.9",
    });
    expect(subject).to.equal(
      "[shop prod] 0.2.0 stopped: failed 5 requests in a row, prod 0 of 20",
    );
    expect(text).to.include("All requests go to prod (0.1.9)");
    expect(text).to.include(
      "This version stays off until a person lets it in.",
    );
  });

  it("links to the page at that moment, and to what a person may want to do", () => {
    const url = "https://serin.example.com";
    const moment = `${url}/events/${LATENCY_FLIP.id}`;
    expect(compose(LATENCY_FLIP).html).to.match(
      RegExp(
        `<td [^>]*bgcolor="#0969da"[^>]*><a [^>]*href="${moment}"[^>]*>Open the page at that moment</a></td>`,
      ),
    );
    const links = new ActionLinks("s3cret", "serin:feature");
    const { text, html } = composeMail(LATENCY_REPORT, {
      ...MAIL_SETTINGS,
      links,
    });
    const sign = (choice: "keep" | "resume") =>
      `${url}/${links.sign({ choice, event: LATENCY_FLIP.id })}`;
    expect(text).to.include(`
Keep it stopped: ${sign("keep")}
Let it in again: ${sign("resume")}
Open the page at that moment: ${moment}
`);
    expect(html).to.include(`href="${sign("keep").replace("&", "&amp;")}"`);
  });

  it("says that a latched flag waits for a person", () => {
    const data = { ...LATENCY_FLIP.data, nextTryAt: null, latched: true };
    const mail = compose(event({ data }));
    expect(mail.subject).to.equal(
      "[shop prod] 0.2.0 stopped and latched: p95 1,012 ms > 500 ms",
    );
    expect(mail.text).to.include(
      "Next: It is latched: it stays off until a person lets it in.",
    );
  });

  it("says that there is no retry when recovery is manual", () => {
    const data = { ...LATENCY_FLIP.data, nextTryAt: null };
    expect(compose(event({ data })).text).to.include(
      "Next: It stays off until a person lets it in.\n",
    );
  });

  it("reports the recovery, and how to switch off again", () => {
    const mail = compose(
      event({
        reason: "the cool-down of 60 s has passed",
        data: {
          ...{ flag: "feature", value: true, rule: "recovery" },
          ...{ version: "0.2.0", cooldownMs: 60_000 },
        },
      }),
    );
    expect(mail.subject).to.equal("[shop prod] 0.2.0 resumed");
    expect(mail.text).to.equal(`0.2.0 resumed

the cool-down of 60 s has passed

Users now: The canary gets its share of the requests again.

Change: 0.2.0

Next: If it goes bad again, it is stopped again, and the wait before the next try is longer.

Open the page at that moment: https://serin.example.com/events/1772366400000-0

On the edge host:
  sudo serin why
  sudo serin flag off --reason "…"

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
      "[shop prod] canary stopped by operator: budget is spent",
    );
    expect(mail.text).to.include(
      "Next: It stays off until a person lets it in: the monitor undoes only its own stops.",
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
      '[shop prod] canary resumed by operator: the flag was set to "true" directly in Redis',
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
          ...{ alert: "cpu", source: "agent@web1:3101", target: "canary" },
          ...{ cpuRatio: 0.973, rssBytes: 61_341_696, windowMs: 30_000 },
          lastSeenAt: "2026-03-01T11:59:59.000Z",
        },
      }),
    );
    expect(mail.subject).to.equal(
      "[shop prod] alert: the canary app on web1 has used more than 90 % of a core",
    );
    expect(mail.text).to
      .equal(`alert: the canary app on web1 has used more than 90 % of a core

Users now: Nothing was switched: the flag stays as it is.

Open the page at that moment: https://serin.example.com/events/1772366400000-0

On the edge host:
  sudo serin flag off --reason "…"

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

  describe("of a group of alerts", () => {
    const silences = (count: number) =>
      Array.from({ length: count }, (_, i) => {
        const host = `web-${String(i).padStart(2, "0")}`;
        return event({
          id: `${1772366400000 + i}-0`,
          kind: "silence",
          reason: `the agent of prod agent@${host}:3101 has fallen silent`,
          data: { alert: "silence", source: `agent@${host}:3101` },
        });
      });
    const composeAll = ([first, ...others]: LedgerEvent[]) =>
      composeMail({ ...reportOf(first!), others }, MAIL_SETTINGS);

    it("is one, with a line for each", () => {
      const { subject, text } = composeAll(silences(20));
      expect(subject).to.equal(
        "[shop prod] silence: 20 agents are silent: web-00 … web-19",
      );
      const lines = silences(20).map(({ reason }) => reason);
      expect(text).to.equal(`silence: 20 agents are silent: web-00 … web-19

${lines.join("\n")}

Users now: Nothing was switched: the flag stays as it is.

Open the page at that moment: https://serin.example.com/events/1772366400000-0

On the edge host:
  sudo serin flag off --reason "…"

  by     monitor
  at     2026-03-01 12:00:00 UTC
  event  1772366400000-0
`);
    });

    it("lists at most fifty", () => {
      expect(composeAll(silences(70)).text).to.include(
        "agent@web-49:3101 has fallen silent\nand 20 more\n",
      );
    });

    for (const [what, sources, kind, alert, subject] of [
      [
        "silent programs",
        ["agent@a:1", "proxy@b:2"],
        "silence",
        "silence",
        "silence: 2 programs are silent: a and b",
      ],
      [
        "silent proxies",
        ["proxy@a:1", "proxy@b:2", "proxy@c:3"],
        "silence",
        "silence",
        "silence: 3 proxies are silent: a, b and c",
      ],
      [
        "apps of one host",
        ["agent@a:1", "agent@a:2"],
        "alert",
        "gone",
        "alert: 2 apps are gone: a",
      ],
      [
        "the end of alerts",
        ["agent@a:1", "agent@b:2"],
        "recovery",
        "probe",
        "recovery: 2 apps no longer fail their health probes: a and b",
      ],
    ] as const)
      it(`names ${what}`, () => {
        const events = sources.map((source) =>
          event({
            kind,
            reason: "…",
            data:
              kind === "recovery"
                ? { alert: `${alert}:${source}` }
                : { alert, source },
          }),
        );
        expect(composeAll(events).subject).to.equal(`[shop prod] ${subject}`);
      });

    it("keeps the reason of one program that is reported twice", () => {
      const [first] = silences(1);
      expect(composeAll([first!, first!]).subject).to.equal(
        `[shop prod] silence: ${first!.reason}`,
      );
    });
  });

  it("offers no command in a test mail or about an alert that is over", () => {
    const test = event({ kind: "alert", data: { alert: "test" } });
    expect(compose(test).text).to.not.include("On the edge host");
    const over = compose(event({ kind: "recovery", reason: "heard again" }));
    expect(over.subject).to.equal("[shop prod] recovery: heard again");
    expect(over.text).to.not.include("On the edge host");
    expect(over.html).to.not.include('class="code"');
  });

  it("never gives a command that lets the canary in", () => {
    for (const value of [true, false])
      for (const by of ["monitor", "proxy", "operator"]) {
        const data = { flag: "feature", value };
        const { text, html } = compose(event({ by, data }));
        expect(text + html).to.not.match(/flag on|SET |curl/);
      }
  });

  describe("with hostile or unknown content", () => {
    it("keeps the subject short and on one line", () => {
      const long = "long ".repeat(40);
      const reason = `first\r\nBcc: victim@example.com\n\n\u2028third ${long}`;
      const folded = `[shop prod] alert: first Bcc: victim@example.com third ${long}`;
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
      expect(subject).to.equal("[shop prod] deploy:");
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
    it("as part of its incident's thread, also where SES replaces the first id", () => {
      const first = compose(LATENCY_FLIP);
      expect(first).to.deep.include({
        messageId: "<serin%3a1772366400000-0@example.com>",
        references: ["<incident-serin%3a1772366400000-0@example.com>"],
      });
      expect(first).to.not.have.property("inReplyTo");
      const later = compose(event({ id: "1772366460000-0" }), {
        incident: LATENCY_FLIP.id,
      });
      expect(later).to.deep.include({
        messageId: "<serin%3a1772366460000-0@example.com>",
        references: [...first.references, first.messageId],
        inReplyTo: first.messageId,
      });
    });

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
        composeMail(LATENCY_REPORT, { ...MAIL_SETTINGS, keys }),
      ].map(({ messageId }) => messageId);
      expect(new Set(ids).size).to.equal(3);
      expect(compose(LATENCY_FLIP)).to.deep.equal(compose(LATENCY_FLIP));
    });
  });

  it("says of an aborted rollout that it waits for a person", () => {
    const { data } = LATENCY_FLIP;
    const { text } = compose({
      ...LATENCY_FLIP,
      data: { ...data, rollout: 41, phase: "Aborted", nextTryAt: null },
    });
    expect(text).to.include(
      "Next: Rollout 41 is aborted. It stays out until a person retries it (serin rollout retry), or a newer one starts.",
    );
  });

  for (const [phase, now, next] of [
    ["Paused", /^The canary keeps its share/, /waits until a person promotes/],
    [
      "Promoting",
      /prod runs the release before/,
      /until prod gets the release/,
    ],
    ["Healthy", /^All requests are answered by the release/, undefined],
  ] as const)
    it(`says what a rollout that is ${phase} waits for`, () => {
      const { subject, text } = compose(
        event({
          ...{ kind: "rollout", by: "monitor" },
          reason: "rollout 41 of 0.3.0: some news",
          data: { rollout: 41, phase, step: 3, weight: 25 },
        }),
      );
      expect(subject).to.equal("[shop prod] rollout 41 of 0.3.0: some news");
      expect(/^Users now: (.*)$/m.exec(text)?.[1]).to.match(now);
      const told = /^Next: (.*)$/m.exec(text)?.[1];
      if (next === undefined) expect(told).to.be.undefined;
      else expect(told).to.match(next);
    });
});
