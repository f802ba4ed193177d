import { expect } from "chai";
import type { ChannelName } from "../../../apps/monitor/alert/channels/channel.js";
import { RefusedError } from "../../../apps/monitor/alert/channels/channel.js";
import { createMailChannel } from "../../../apps/monitor/alert/channels/create-channels.js";
import { createWebhookChannel } from "../../../apps/monitor/alert/channels/webhook.js";
import { Courier } from "../../../apps/monitor/alert/courier.js";
import { MAIL_SETTINGS } from "../../support/alert/alert-event.js";
import { onCleanup } from "../../support/cleanup.js";
import { FakeTransport, refuse } from "../../support/alert/fake-transport.js";
import { createMemoryLogger } from "../../support/logger.js";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";
import { waitFor } from "../../support/wait-for.js";
import {
  startWebhookReceiver,
  type WebhookReceiver,
} from "../../support/alert/webhook-receiver.js";

const FENCE = '{"holder":"monitor@a:8090","epoch":1}';
const DOWN = Array<500>(100_000).fill(500);

describe("couriers of two channels", () => {
  let test: TestRedis;
  let transport: FakeTransport;
  let receiver: WebhookReceiver;
  let logger: ReturnType<typeof createMemoryLogger>;

  beforeEach(async () => {
    test = openTestRedis();
    transport = new FakeTransport();
    receiver = await startWebhookReceiver();
    logger = createMemoryLogger();
    await test.redis.set(test.keys.lease, FENCE);
  });

  /** One courier for each channel, as in one monitor, until the test ends. */
  function startCouriers(...names: ChannelName[]): Courier[] {
    const { redis, keys, ledger } = test;
    const settings = { ...MAIL_SETTINGS, keys };
    const channels = {
      mail: () => createMailChannel(transport, settings),
      webhook: () =>
        createWebhookChannel(
          { url: receiver.url, secret: undefined },
          settings,
        ),
    };
    const couriers = names.map((name) => {
      const shared = { redis, keys, ledger, logger, channels: names };
      const retryLimits = { firstMs: 2, maxMs: 10 };
      const channel = channels[name]();
      return new Courier({
        ...{ ...shared, channel, retryLimits },
        readBackground: () => Promise.resolve({}),
        groupMs: 0,
        consumer: "monitor@a:8090",
      });
    });
    onCleanup(() => Promise.all(couriers.map((courier) => courier.stop())));
    for (const courier of couriers) courier.start(FENCE);
    return couriers;
  }

  async function raise(...reasons: string[]): Promise<void> {
    for (const reason of reasons)
      await test.ledger.record(
        { kind: "alert", by: "monitor", reason, data: {} },
        { mail: true },
      );
  }

  const mailed = () =>
    transport.subjects.map((subject) =>
      subject.replace("[shop prod] alert: ", ""),
    );
  const posted = () =>
    receiver.calls.map(
      ({ body }) => (JSON.parse(body) as { reason: string }).reason,
    );
  const pending = () => test.redis.xlen(test.keys.outbox);
  const untilEmpty = () =>
    waitFor("an empty outbox", async () => (await pending()) === 0);

  it("deliver each event once to each channel, in order", async () => {
    await raise("one", "two");
    startCouriers("mail", "webhook");
    await raise("three");
    await untilEmpty();
    expect(mailed()).to.deep.equal(["one", "two", "three"]);
    expect(posted()).to.deep.equal(["one", "two", "three"]);
  });

  it("send mail while the webhook is down, and repeat none when it is back", async () => {
    receiver.answers.push(...DOWN);
    startCouriers("mail", "webhook");
    await raise("one", "two");
    await waitFor("the mails", () => transport.taken.length === 2);
    await waitFor("some tries", () => receiver.calls.length > 2);
    expect(await pending()).to.equal(2);
    expect(new Set(posted())).to.deep.equal(new Set(["one"]));

    receiver.answers.length = 0;
    await untilEmpty();
    expect(posted().slice(-2)).to.deep.equal(["one", "two"]);
    expect(mailed()).to.deep.equal(["one", "two"]);
  });

  it("call the webhook while the mail server is down, and repeat no call", async () => {
    transport.onSend = refuse;
    startCouriers("mail", "webhook");
    await raise("one", "two");
    await waitFor("the calls", () => receiver.calls.length === 2);
    expect(await pending()).to.equal(2);

    transport.onSend = () => undefined;
    await untilEmpty();
    expect(mailed()).to.deep.equal(["one", "two"]);
    expect(posted()).to.deep.equal(["one", "two"]);
  });

  it("remember after a restart what each channel has delivered", async () => {
    receiver.answers.push(...DOWN);
    const before = startCouriers("mail", "webhook");
    await raise("one", "two");
    await waitFor("the mails", () => transport.taken.length === 2);
    await waitFor("a try", () => receiver.calls.length > 0);
    await Promise.all(before.map((courier) => courier.stop()));

    receiver.answers.length = 0;
    receiver.calls.length = 0;
    startCouriers("mail", "webhook");
    await untilEmpty();
    expect(mailed()).to.deep.equal(["one", "two"]);
    expect(posted()).to.deep.equal(["one", "two"]);
  });

  it("remove entries of a webhook that is no longer set", async () => {
    receiver.answers.push(...DOWN);
    const before = startCouriers("mail", "webhook");
    await raise("one");
    await waitFor("the mail", () => transport.taken.length === 1);
    await Promise.all(before.map((courier) => courier.stop()));
    await raise("two");
    startCouriers("mail");
    await untilEmpty();
    expect(mailed()).to.deep.equal(["one", "two"]);
  });

  it("retry a webhook after status 500, in order", async () => {
    receiver.answers.push(500, 200, 429);
    startCouriers("webhook");
    await raise("one", "two");
    await untilEmpty();
    expect(posted()).to.deep.equal(["one", "one", "two", "two"]);
  });

  it("put aside a message that the webhook refuses, record it, and continue", async () => {
    receiver.answers.push(400, 400, 500, 400, 400, 400);
    const [courier] = startCouriers("webhook");
    await raise("one", "two");
    await untilEmpty();
    expect(posted()).to.deep.equal([...Array<"one">(6).fill("one"), "two"]);
    const [one, , told] = await test.events();
    expect(told).to.deep.include({
      kind: "alert",
      by: "monitor",
      reason: `the webhook about event ${one!.id} (one) was refused 5 times and is put aside: webhook: answered with status 400`,
      data: {
        alert: "refused",
        channel: "webhook",
        event: one!.id,
        error: "webhook: answered with status 400",
      },
    });
    expect(courier!.totals).to.deep.equal({
      channel: "webhook",
      sent: 1,
      failures: 6,
      putAside: 1,
    });
  });

  it("put aside a mail that the server refuses, and send the next ones", async () => {
    transport.onSend = ({ subject }) => {
      if (subject.endsWith("one")) throw new RefusedError("550 no such user");
    };
    startCouriers("mail");
    await raise("one", "two");
    await untilEmpty();
    expect(transport.attempts).to.equal(6);
    expect(mailed()).to.deep.equal(["two"]);
    const [, , told] = await test.events();
    expect(told?.reason).to.match(/refused 5 times.*550 no such user$/);
  });
});
