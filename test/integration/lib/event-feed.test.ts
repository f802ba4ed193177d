import { expect } from "chai";
import { followEvents } from "../../../lib/flag/event-feed.js";
import { startPrivateRedis } from "../../support/redis/private-redis.js";
import { findServicePort } from "../../support/system/service-port.js";
import { Ledger, type LedgerEvent } from "../../../lib/flag/ledger.js";
import { createRedis, waitForRedis } from "../../../lib/redis/redis.js";
import { onCleanup } from "../../support/cleanup.js";
import { createMemoryLogger } from "../../support/logger.js";
import {
  connectRedis,
  freshKeys,
  redisUrl,
} from "../../support/redis/redis-server.js";
import { waitFor } from "../../support/wait-for.js";

async function record(url: string, keys = freshKeys(), reason: string) {
  const redis = connectRedis(url);
  const event = { kind: "alert", by: "monitor", data: {}, reason } as const;
  await new Ledger(redis, keys).record(event);
  redis.disconnect();
}

async function openFeed(url: string, keys = freshKeys()) {
  const logger = createMemoryLogger();
  const redis = createRedis({ url, name: "test", logger });
  await waitForRedis(redis, 5000);
  const events: LedgerEvent[] = [];
  const onEvent = (event: LedgerEvent) => events.push(event);
  onCleanup(await followEvents({ redis, keys, onEvent }));
  return { reasons: () => events.map(({ reason }) => reason), logger };
}

describe("event feed", () => {
  it("reports events added after its start, in order", async () => {
    const keys = freshKeys();
    await record(redisUrl(), keys, "before");
    const { reasons } = await openFeed(redisUrl(), keys);
    await record(redisUrl(), keys, "first");
    await record(redisUrl(), keys, "second");
    await waitFor("both", () => reasons().length === 2);
    expect(reasons()).to.deep.equal(["first", "second"]);
  });

  it("skips malformed entries", async () => {
    const keys = freshKeys();
    const { reasons } = await openFeed(redisUrl(), keys);
    const redis = connectRedis();
    onCleanup(() => redis.disconnect());
    await redis.xadd(keys.events, "*", "kind", "nonsense");
    await record(redisUrl(), keys, "sense");
    await waitFor("the event", () => reasons().length === 1);
    expect(reasons()).to.deep.equal(["sense"]);
  });

  it("keeps its connection while no event is added", async () => {
    const { url, stop } = await startPrivateRedis();
    onCleanup(stop);
    const { logger } = await openFeed(url);
    const redis = connectRedis(url);
    onCleanup(() => redis.disconnect());
    await waitFor("two reads without an event", async () =>
      /cmdstat_xread:calls=[2-9]/.test(await redis.info("commandstats")),
    );
    expect(logger.lines).to.deep.equal([]);
  });

  it("continues after an outage, even if Redis lost its data", async () => {
    const keys = freshKeys();
    const port = await findServicePort();
    const first = await startPrivateRedis({ port });
    const { reasons } = await openFeed(first.url, keys);
    await record(first.url, keys, "before the crash");
    await waitFor("the first", () => reasons().length === 1);
    await first.stop();
    const second = await startPrivateRedis({ port });
    onCleanup(() => second.stop());
    await record(second.url, keys, "after the crash");
    await waitFor("the second", () => reasons().length === 2);
    expect(reasons()).to.deep.equal(["before the crash", "after the crash"]);
  });
});
