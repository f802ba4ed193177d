import { expect } from "chai";
import type { Redis } from "ioredis";
import { startPrivateRedis } from "../../support/redis/private-redis.js";
import { findServicePort } from "../../support/system/service-port.js";
import {
  BusyError,
  RefusedError,
} from "../../../apps/monitor/alert/channels/channel.js";
import { createMailChannel } from "../../../apps/monitor/alert/channels/create-channels.js";
import type { Report } from "../../../apps/monitor/alert/message/report.js";
import { Courier } from "../../../apps/monitor/alert/courier.js";
import type { Keys } from "../../../lib/redis/keys.js";
import { Ledger, type LedgerEvent } from "../../../lib/flag/ledger.js";
import { createRedis, waitForRedis } from "../../../lib/redis/redis.js";
import { MAIL_SETTINGS } from "../../support/alert/alert-event.js";
import { FakeTransport, refuse } from "../../support/alert/fake-transport.js";
import { createMemoryLogger } from "../../support/logger.js";
import {
  connectRedis,
  freshKeys,
  redisUrl,
} from "../../support/redis/redis-server.js";
import { waitFor } from "../../support/wait-for.js";

const FENCE = '{"holder":"monitor@a:8090","epoch":1}';
const OTHER_FENCE = '{"holder":"monitor@b:8090","epoch":2}';
const QUICK = { firstMs: 2, maxMs: 10 };
const HOURS = { firstMs: 3_600_000, maxMs: 3_600_000 };

describe("the courier", () => {
  let keys: Keys;
  let redis: Redis;
  let transport: FakeTransport;
  let logger: ReturnType<typeof createMemoryLogger>;
  let delivered: LedgerEvent[];
  let closers: (() => Promise<void>)[];

  beforeEach(async () => {
    keys = freshKeys();
    redis = connectRedis();
    transport = new FakeTransport();
    logger = createMemoryLogger();
    delivered = [];
    closers = [];
    await redis.set(keys.lease, FENCE);
  });

  afterEach(async () => {
    for (const close of closers) await close();
    await redis.quit();
  });

  /** A courier with its own connection, as in another process. */
  async function openCourier(
    options: {
      consumer?: string;
      url?: string;
      retryLimits?: typeof QUICK;
      groupMs?: number;
    } = {},
  ): Promise<Courier & { redis: Redis }> {
    const own = createRedis({
      url: options.url ?? redisUrl(),
      name: "courier",
      logger,
    });
    await waitForRedis(own, 5000);
    const channel = createMailChannel(transport, { ...MAIL_SETTINGS, keys });
    const deliver = async (report: Report) => {
      await channel.send(report);
      delivered.push(report.event, ...report.others);
    };
    const courier = new Courier({
      redis: own,
      keys,
      consumer: options.consumer ?? "monitor@a:8090",
      ledger: new Ledger(own, keys),
      channel: { ...channel, send: deliver },
      channels: ["mail"],
      readBackground: () => Promise.resolve({}),
      groupMs: options.groupMs ?? 0,
      logger,
      retryLimits: options.retryLimits ?? QUICK,
    });
    closers.push(async () => {
      await courier.stop();
      own.disconnect();
    });
    return Object.assign(courier, { redis: own });
  }

  async function mail(...reasons: string[]): Promise<void> {
    const ledger = new Ledger(redis, keys);
    for (const reason of reasons)
      await ledger.record(
        { kind: "alert", by: "monitor", reason, data: {} },
        { mail: true },
      );
  }

  const subjects = (...reasons: string[]) =>
    reasons.map((reason) => `[shop prod] alert: ${reason}`);

  const pending = (courier: { redis: Redis }) =>
    courier.redis.xlen(keys.outbox);
  const untilEmpty = (courier: { redis: Redis }) =>
    waitFor("an empty outbox", async () => {
      const count = await pending(courier).catch(() => "unknown");
      return count === 0;
    });

  it("delivers the ledger's events in order, and removes them", async () => {
    const ledger = new Ledger(redis, keys);
    await ledger.flip("feature", {
      value: false,
      by: "operator",
      reason: "try",
      data: {},
    });
    const courier = await openCourier();
    courier.start(FENCE);
    await mail("one", "two");
    await untilEmpty(courier);

    expect(transport.subjects).to.deep.equal([
      "[shop prod] canary stopped by operator: try",
      ...subjects("one", "two"),
    ]);
    const events = await ledger.readEvents({ limit: 10 });
    expect(delivered).to.deep.equal(events.reverse());
    expect((await redis.xpending(keys.outbox, "couriers"))[0]).to.equal(0);
    expect(courier.held).to.equal(undefined);
  });

  it("retries a refused mail before any later one, and logs it once", async () => {
    await mail("one", "two", "three");
    let refusals = 4;
    transport.onSend = ({ subject }) => {
      if (subject.endsWith("two") && refusals-- > 0) refuse();
    };
    const courier = await openCourier();
    courier.start(FENCE);
    await untilEmpty(courier);

    expect(transport.subjects).to.deep.equal(subjects("one", "two", "three"));
    expect(transport.attempts).to.equal(7);
    const warnings = logger.lines.filter(({ level }) => level === "warn");
    expect(warnings).to.have.length(1);
    expect(warnings[0]!.message).to.match(/waits in the outbox/);
    expect(warnings[0]!.data).to.include({
      kind: "alert",
      failures: 1,
      error: "the mail server is down",
    });
  });

  it("reports why mail is held, until it is sent", async () => {
    await mail("one", "two");
    transport.onSend = refuse;
    const courier = await openCourier();
    courier.start(FENCE);
    await waitFor("two tries", () => transport.attempts >= 2);
    expect(await pending(courier)).to.equal(2);
    expect(courier.held).to.deep.equal({
      channel: "mail",
      error: "the mail server is down",
    });
    transport.onSend = () => undefined;
    await untilEmpty(courier);
    expect(courier.held).to.equal(undefined);
  });

  it("sends each mail exactly once when the monitor restarts while the transport is down", async () => {
    await mail("one", "two");
    const before = await openCourier({ consumer: "monitor@a:8090" });
    transport.onSend = ({ subject }) => {
      if (!subject.endsWith("one")) refuse();
    };
    before.start(FENCE);
    await waitFor("a refusal", () => transport.attempts >= 3);
    await before.stop();
    await mail("three");

    await redis.set(keys.lease, OTHER_FENCE);
    transport.onSend = () => undefined;
    const after = await openCourier({ consumer: "monitor@b:8090" });
    after.start(OTHER_FENCE);
    await untilEmpty(after);
    expect(transport.subjects).to.deep.equal(subjects("one", "two", "three"));
  });

  it("takes over entries that another live courier has claimed, in order", async () => {
    const other = ["GROUP", "couriers", "monitor@b:8090"] as const;
    await redis.xgroup("CREATE", keys.outbox, "couriers", "0", "MKSTREAM");
    await mail("one", "two", "three");
    await redis.xreadgroup(...other, "COUNT", 2, "STREAMS", keys.outbox, ">");
    const courier = await openCourier();
    courier.start(FENCE);
    await untilEmpty(courier);
    expect(transport.subjects).to.deep.equal(subjects("one", "two", "three"));
  });

  it("removes entries that are no events, and continues", async () => {
    const ledger = new Ledger(redis, keys);
    await redis.xadd(keys.outbox, "*", "mail", "me");
    await mail("one");
    await redis.xadd(keys.outbox, "*", "event", "1-1", "kind", "party");
    await redis.xadd(
      keys.outbox,
      "*",
      ...["event", "1-1", "kind", "flip", "by", "x", "reason", "y", "at", "z"],
      ...["data", "{half"],
    );
    await ledger.record(
      { kind: "start", by: "app", reason: "two", data: {} },
      { mail: true },
    );
    const courier = await openCourier();
    courier.start(FENCE);
    await untilEmpty(courier);
    expect(transport.subjects).to.deep.equal([
      ...subjects("one"),
      "[shop prod] start: two",
    ]);
    const warnings = logger.lines.filter(({ level }) => level === "warn");
    expect(warnings).to.have.length(3);
    expect(warnings[0]!.data).to.include({ content: '["mail","me"]' });
  });

  describe("with alerts of one kind", () => {
    const raise = async (...sources: string[]) => {
      for (const source of sources)
        await new Ledger(redis, keys).record(
          {
            kind: "silence",
            by: "monitor",
            reason: `${source} is silent`,
            data: { alert: "silence", source },
          },
          { mail: true },
        );
    };

    it("sends one mail about them, and a stop's mail meanwhile", async () => {
      const courier = await openCourier({ groupMs: 700 });
      courier.start(FENCE);
      await raise("agent@a:1");
      await new Ledger(redis, keys).flip("feature", {
        ...{ value: false, by: "operator", reason: "try", data: {} },
      });
      await raise("agent@b:1", "agent@c:1");
      await untilEmpty(courier);
      expect(transport.subjects).to.deep.equal([
        "[shop prod] canary stopped by operator: try",
        "[shop prod] silence: 3 agents are silent: a, b and c",
      ]);
      expect(courier.totals.sent).to.equal(4);
    });

    it("sends one mail about them after a take-over, with those that came meanwhile", async () => {
      const before = await openCourier({ groupMs: 60_000 });
      before.start(FENCE);
      await raise("agent@a:1");
      await waitFor("the claim", async () => {
        // Until the courier has made its group, there is none.
        const claimed = await redis
          .xpending(keys.outbox, "couriers")
          .catch(() => [0]);
        return claimed[0] === 1;
      });
      await before.stop();
      await raise("agent@b:1");
      await redis.set(keys.lease, OTHER_FENCE);
      const after = await openCourier({ consumer: "monitor@b:8090" });
      after.start(OTHER_FENCE);
      await untilEmpty(after);
      expect(transport.subjects).to.deep.equal([
        "[shop prod] silence: 2 agents are silent: a and b",
      ]);
    });
  });

  describe("when the lease is lost", () => {
    it("sends nothing, and the next leader sends everything", async () => {
      await mail("one");
      await redis.set(keys.lease, OTHER_FENCE);
      const deposed = await openCourier();
      const leading = await openCourier({ consumer: "monitor@b:8090" });
      deposed.start(FENCE);
      leading.start(OTHER_FENCE);
      await untilEmpty(leading);
      await mail("two");
      await untilEmpty(leading);
      expect(delivered.map(({ reason }) => reason)).to.deep.equal([
        "one",
        "two",
      ]);
      expect(deposed.totals.sent).to.equal(0);
    });

    it("removes the mail in flight once sent, and starts no other", async () => {
      await mail("one", "two");
      transport.onSend = async () => {
        await redis.set(keys.lease, OTHER_FENCE);
      };
      const courier = await openCourier();
      courier.start(FENCE);
      await waitFor(
        "one mail removed",
        async () => (await pending(courier)) === 1,
      );
      await courier.stop();
      expect(transport.subjects).to.deep.equal(subjects("one"));

      courier.start(OTHER_FENCE);
      await untilEmpty(courier);
      expect(transport.subjects).to.deep.equal(subjects("one", "two"));
    });

    it("waits as long as the receiver asks, if that is longer", async () => {
      await mail("one");
      transport.onSend = () => {
        throw new BusyError("later", 3_600_000);
      };
      const courier = await openCourier();
      courier.start(FENCE);
      await waitFor("the failure", () => courier.totals.failures === 1);
      const [told] = logger.lines;
      expect(told!.data).to.include({ retryInMs: 3_600_000 });
      await courier.stop();
    });

    it("starts a new count of refusals when it leads again", async () => {
      await mail("one");
      transport.onSend = async () => {
        if (transport.attempts === 4) await redis.set(keys.lease, OTHER_FENCE);
        throw new RefusedError("550 not now");
      };
      const courier = await openCourier();
      courier.start(FENCE);
      await waitFor("four refusals", () => courier.totals.failures === 4);
      await courier.stop();
      transport.onSend = () => undefined;
      const other = await openCourier({ consumer: "monitor@b:8090" });
      other.start(OTHER_FENCE);
      await untilEmpty(other);
      await other.stop();

      await mail("two");
      transport.onSend = () => {
        if (transport.attempts === 6) throw new RefusedError("550 not now");
      };
      courier.start(OTHER_FENCE);
      await untilEmpty(courier);
      expect(transport.subjects).to.deep.equal(subjects("one", "two"));
      expect(courier.totals.putAside).to.equal(0);
    });

    it("keeps checking the lease, and continues when it is regained", async () => {
      await mail("one");
      await redis.del(keys.lease);
      const courier = await openCourier();
      let questions = 0;
      const get = courier.redis.get.bind(courier.redis);
      courier.redis.get = (key: string) => {
        questions += 1;
        return get(key);
      };
      courier.start(FENCE);
      await waitFor("a second question", () => questions > 1);
      expect(transport.attempts).to.equal(0);

      await redis.set(keys.lease, FENCE);
      await untilEmpty(courier);
      expect(transport.subjects).to.deep.equal(subjects("one"));
    });
  });

  describe("when stopped", () => {
    it("finishes the mail in flight, and starts no other", async () => {
      await mail("one", "two");
      const take = transport.hold();
      const courier = await openCourier();
      courier.start(FENCE);
      await waitFor("a send", () => transport.attempts === 1);
      const stopped = courier.stop();
      take();
      await stopped;
      expect(transport.subjects).to.deep.equal(subjects("one"));
      expect(await pending(courier)).to.equal(1);
    });

    it("does not send an entry that it has only read", async () => {
      await mail("one");
      const courier = await openCourier();
      const get = courier.redis.get.bind(courier.redis);
      let stopped: Promise<void> | undefined;
      courier.redis.get = (key: string) => {
        stopped = courier.stop();
        return get(key);
      };
      courier.start(FENCE);
      await waitFor("the stop", () => stopped !== undefined);
      await stopped;
      expect(transport.attempts).to.equal(0);
    });

    it("stops waiting for a hanging transport, and does not send its mail twice", async () => {
      await mail("one");
      const take = transport.hold();
      const courier = await openCourier();
      courier.start(FENCE);
      await waitFor("a send", () => transport.attempts === 1);
      await courier.stop();
      expect(transport.taken).to.have.length(0);

      courier.start(FENCE);
      // Enough commands for a second run to reach the transport.
      for (let i = 0; i < 20; i++) await courier.redis.ping();
      take();
      await untilEmpty(courier);
      expect(transport.attempts).to.equal(1);
      expect(transport.subjects).to.deep.equal(subjects("one"));
    });

    it("ends at once, even during a back-off of hours", async () => {
      await mail("one");
      transport.onSend = refuse;
      const courier = await openCourier({ retryLimits: HOURS });
      courier.start(FENCE);
      await waitFor("a refusal", () => transport.attempts === 1);
      await courier.stop();
      await courier.stop();

      transport.onSend = () => undefined;
      courier.start(FENCE);
      await untilEmpty(courier);
      expect(transport.subjects).to.deep.equal(subjects("one"));
    });
  });

  describe("while Redis is away", () => {
    it("waits, and continues when Redis is back and empty", async () => {
      const port = await findServicePort();
      const first = await startPrivateRedis({ port });
      const courier = await openCourier({ url: first.url });
      await courier.redis.set(keys.lease, FENCE);
      courier.start(FENCE);
      await first.stop();
      await waitFor("the outage", () =>
        logger.lines.some(({ message }) => message.includes("alerts wait")),
      );

      const second = await startPrivateRedis({ port });
      closers.push(second.stop);
      await waitForRedis(courier.redis, 5000);
      await courier.redis.set(keys.lease, FENCE);
      await new Ledger(courier.redis, keys).record(
        { kind: "alert", by: "monitor", reason: "back", data: {} },
        { mail: true },
      );
      await untilEmpty(courier);
      expect(transport.subjects).to.deep.equal(subjects("back"));
    });

    it("remembers a mail accepted meanwhile, and does not send it again", async () => {
      await mail("one", "two");
      const courier = await openCourier();
      transport.onSend = ({ subject }) => {
        if (subject.endsWith("one")) courier.redis.disconnect(true);
      };
      courier.start(FENCE);
      await untilEmpty(courier);
      expect(transport.subjects).to.deep.equal(subjects("one", "two"));
    });
  });
});
