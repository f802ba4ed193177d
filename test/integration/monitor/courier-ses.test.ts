import { expect } from "chai";
import type { Redis } from "ioredis";
import { createMailChannel } from "../../../apps/monitor/alert/channels/create-channels.js";
import { createSesTransport } from "../../../apps/monitor/alert/channels/ses.js";
import type { MailTransport } from "../../../apps/monitor/alert/channels/channel.js";
import { Courier } from "../../../apps/monitor/alert/courier.js";
import type { Keys } from "../../../lib/redis/keys.js";
import { Ledger } from "../../../lib/flag/ledger.js";
import { MAIL_SETTINGS } from "../../support/alert/alert-event.js";
import { provideAwsCredentials } from "../../support/alert/aws-credentials.js";
import { createMemoryLogger } from "../../support/logger.js";
import { connectRedis, freshKeys } from "../../support/redis/redis-server.js";
import { startSesStub, type SesStub } from "../../support/alert/ses-stub.js";
import { waitFor } from "../../support/wait-for.js";

const FENCE = '{"holder":"monitor@a:8090","epoch":1}';

describe("the courier with SES", () => {
  provideAwsCredentials();

  let keys: Keys;
  let redis: Redis;
  let ses: SesStub;
  let transport: MailTransport;

  beforeEach(async () => {
    keys = freshKeys();
    redis = connectRedis();
    ses = await startSesStub();
    transport = createSesTransport({
      region: "eu-central-1",
      endpoint: ses.endpoint,
      requestTimeoutMs: 1000,
    });
    await redis.set(keys.lease, FENCE);
  });

  afterEach(async () => {
    transport.close();
    await ses.close();
    await redis.quit();
  });

  const createCourier = (consumer: string) =>
    new Courier({
      redis,
      keys,
      consumer,
      ledger: new Ledger(redis, keys),
      channel: createMailChannel(transport, { ...MAIL_SETTINGS, keys }),
      channels: ["mail"],
      readBackground: () => Promise.resolve({}),
      groupMs: 0,
      logger: createMemoryLogger(),
      retryLimits: { firstMs: 2, maxMs: 10 },
    });

  async function mail(...reasons: string[]): Promise<void> {
    const ledger = new Ledger(redis, keys);
    for (const reason of reasons)
      await ledger.record(
        { kind: "alert", by: "monitor", reason, data: {} },
        { mail: true },
      );
  }

  const untilEmpty = () =>
    waitFor(
      "an empty outbox",
      async () => (await redis.xlen(keys.outbox)) === 0,
    );

  /** The mails that SES accepted, in order. */
  const taken = () => ses.requests.filter(({ answer }) => answer === "take");
  const subjects = (...reasons: string[]) =>
    reasons.map((reason) => `[shop prod] alert: ${reason}`);

  it("sends each mail exactly once when SES throttles, fails, hangs and refuses", async () => {
    ses.answers.push("throttle", "throttle", "take", "fail", "hang", "refuse");
    await mail("one", "two", "three");
    const courier = createCourier("monitor@a:8090");
    courier.start(FENCE);
    await untilEmpty();
    await courier.stop();
    expect(taken().map(({ subject }) => subject)).to.deep.equal(
      subjects("one", "two", "three"),
    );
    expect(ses.requests.map(({ answer }) => answer)).to.deep.equal([
      ...["throttle", "throttle", "take"],
      ...["fail", "hang", "refuse", "take"],
      "take",
    ]);
  });

  it("sends each mail exactly once when the monitor restarts while SES is down", async () => {
    ses.answers.push("take", ...Array<"fail">(1000).fill("fail"));
    await mail("one", "two");
    const before = createCourier("monitor@a:8090");
    before.start(FENCE);
    await waitFor("failures", () => ses.requests.length > 3);
    await before.stop();
    await mail("three");

    ses.answers.length = 0;
    const after = createCourier("monitor@b:8090");
    after.start(FENCE);
    await untilEmpty();
    await after.stop();
    expect(taken().map(({ subject }) => subject)).to.deep.equal(
      subjects("one", "two", "three"),
    );
    const ids = taken().map(({ messageId }) => messageId);
    expect(new Set(ids).size).to.equal(3);
  });
});
