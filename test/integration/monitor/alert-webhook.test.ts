import { createHmac } from "node:crypto";
import { inspect } from "node:util";
import { expect } from "chai";
import {
  BusyError,
  RefusedError,
} from "../../../apps/monitor/alert/channels/channel.js";
import {
  createWebhookChannel,
  readRetryAfter,
} from "../../../apps/monitor/alert/channels/webhook.js";
import {
  event,
  LATENCY_FLIP,
  LATENCY_REPORT,
  reportOf,
  MAIL_SETTINGS,
} from "../../support/alert/alert-event.js";
import { waitFor } from "../../support/wait-for.js";
import {
  startWebhookReceiver,
  type WebhookReceiver,
} from "../../support/alert/webhook-receiver.js";

const SECRET = "a secret of some length";

describe("the webhook", () => {
  let receiver: WebhookReceiver;

  beforeEach(async () => {
    receiver = await startWebhookReceiver();
  });

  const open = (options: { secret?: string; timeoutMs?: number } = {}) =>
    createWebhookChannel(
      { url: receiver.url, secret: options.secret },
      MAIL_SETTINGS,
      options.timeoutMs,
    );

  const failureOf = (sending: Promise<void>): Promise<Error> =>
    sending.then(
      () => expect.fail("it was taken"),
      (err: unknown) => err as Error,
    );

  it("gets one POST with the event and a text in Slack's markup", async () => {
    await open().send(LATENCY_REPORT);
    expect(receiver.calls).to.have.length(1);
    const [call] = receiver.calls;
    expect(call).to.include({
      method: "POST",
      url: "/services/T0/secret-path",
    });
    expect(call!.headers).to.include({ "content-type": "application/json" });
    expect(call!.headers).to.not.have.property("serin-signature");
    expect(JSON.parse(call!.body)).to.deep.equal({
      text:
        "*[shop prod] 0.2.0 stopped: p95 1,012 ms &gt; 500 ms*\n" +
        "canary p95 1,012 ms &gt; 500 ms over 10 s (7 requests, 2 waiting)\n" +
        "Users now: All requests go to prod (0.1.9), which serves without the feature.\n" +
        "Harm: 7 requests met the canary in 10 s: 7 took longer than 500 ms (2 still wait); none failed.\n" +
        "Change: 0.2.0\n" +
        "Next: The monitor lets it in again at 2026-03-01 12:01:00 UTC, if it is healthy then.\n" +
        "<https://serin.example.com/events/1772366400000-0|Open the page at that moment>",
      title: "0.2.0 stopped: p95 1,012 ms > 500 ms",
      system: "shop prod",
      event: "serin:1772366400000-0",
      kind: "flip",
      flag: "feature",
      value: false,
      version: "0.2.0",
      by: "monitor",
      reason: LATENCY_FLIP.reason,
      at: LATENCY_FLIP.at,
      data: LATENCY_FLIP.data,
      others: [],
      actions: [
        {
          label: "Open the page at that moment",
          url: "https://serin.example.com/events/1772366400000-0",
        },
      ],
      dashboard: "https://serin.example.com",
    });
  });

  it("notifies nobody by name, whatever the reason holds", async () => {
    const reason = "<!channel> & <@U1>";
    await open().send(reportOf(event({ kind: "alert", reason, data: {} })));
    const { text, value } = JSON.parse(receiver.calls[0]!.body) as {
      text: string;
      value: unknown;
    };
    expect(text).to.include("&lt;!channel&gt; &amp; &lt;@U1&gt;");
    expect(value).to.equal(null);
  });

  it("is signed over time and body", async () => {
    await open({ secret: SECRET }).send(LATENCY_REPORT);
    const { headers, body } = receiver.calls[0]!;
    const [, t, v1] =
      /^t=(\d+),v1=([\da-f]{64})$/.exec(String(headers["serin-signature"])) ??
      [];
    expect(Number(t) * 1000).to.be.closeTo(Date.now(), 60_000);
    const expected = createHmac("sha256", SECRET).update(`${t}.${body}`);
    expect(v1).to.equal(expected.digest("hex"));
  });

  for (const status of [302, 307, 401, 403, 404, 408, 410, 429, 500, 503])
    it(`waits after ${status}, without following redirects`, async () => {
      receiver.answers.push(status);
      const err = await failureOf(open().send(LATENCY_REPORT));
      expect(err).to.not.be.instanceOf(RefusedError);
      expect(err.message).to.equal(`webhook: answered with status ${status}`);
      expect(receiver.calls).to.have.length(1);
    });

  for (const status of [400, 413, 422])
    it(`is refused after ${status}`, async () => {
      receiver.answers.push(status);
      const err = await failureOf(open().send(LATENCY_REPORT));
      expect(err).to.be.instanceOf(RefusedError);
    });

  it("pauses for as long as the receiver asks", async () => {
    receiver.retryAfter = "7";
    receiver.answers.push(429);
    const err = await failureOf(open().send(LATENCY_REPORT));
    expect(err).to.be.instanceOf(BusyError).with.property("retryAfterMs", 7000);
  });

  it("reads Retry-After in seconds or as a date, up to ten minutes", () => {
    const now = Date.parse("2026-03-01T12:00:00Z");
    const read = (value?: string) => readRetryAfter(value, now);
    expect(read("0")).to.equal(0);
    expect(read("99999999999999999999")).to.equal(600_000);
    expect(read("Sun, 01 Mar 2026 12:00:05 GMT")).to.equal(5000);
    expect(read("Sun, 01 Mar 2026 11:00:00 GMT")).to.equal(0);
    for (const bad of [undefined, "", "-1", "1.5", "soon", "1e3"])
      expect(read(bad)).to.equal(undefined);
  });

  it("fails when it does not answer in time", async () => {
    receiver.answers.push("hang");
    const err = await failureOf(open({ timeoutMs: 50 }).send(LATENCY_REPORT));
    expect(err.message).to.equal("webhook: no answer in 50 ms");
  });

  it("ends a send in flight when closed", async () => {
    receiver.answers.push("hang");
    const channel = open();
    const failed = failureOf(channel.send(LATENCY_REPORT));
    await waitFor("the call", () => receiver.calls.length === 1);
    channel.close();
    channel.close();
    expect((await failed).message).to.match(/^webhook: /);
  });

  it("shows neither URL nor secret in errors", async () => {
    receiver.answers.push("reset", 404, "hang");
    const channel = open({ secret: SECRET, timeoutMs: 50 });
    for (let i = 0; i < 3; i++) {
      const err = await failureOf(channel.send(LATENCY_REPORT));
      expect(inspect(err, { depth: 9 })).to.not.match(/secret-path|a secret/);
    }
  });
});
