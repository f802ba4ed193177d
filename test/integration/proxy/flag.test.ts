import { expect } from "chai";
import type { Redis } from "ioredis";
import { startNamedBackend } from "../../support/http/backend.js";
import { onCleanup } from "../../support/cleanup.js";
import { describeEngines } from "../../support/http/engines.js";
import { createKeepAliveAgent, send } from "../../support/http/http-client.js";
import {
  startOpenProxy,
  type ProxyProgram,
} from "../../support/programs/proxy-program.js";
import { startPrivateRedis } from "../../support/redis/private-redis.js";
import { connectRedis } from "../../support/redis/redis-server.js";
import { waitFor } from "../../support/wait-for.js";

/**
 * A proxy that sends every request to the canary while it is open, and an operator at redis-cli.
 *
 * @param redisUrl a private Redis, for tests that inspect the proxy's connections
 */
async function startSwitch(redisUrl?: string) {
  const prod = await startNamedBackend("prod");
  const canary = await startNamedBackend("canary");
  const proxy = await startOpenProxy({
    PROD_URLS: prod.url.origin,
    CANARY_URLS: canary.url.origin,
    SPLIT: "0:1",
    ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }),
  });
  const redis = connectRedis(redisUrl);
  onCleanup(() => redis.disconnect());
  const agent = createKeepAliveAgent(1);
  const flag = proxy.keys.flag("feature");
  const servedBy = async () => (await send(proxy.port, { agent })).servedBy;

  /** Sets the flag. @returns the ms until the start of the first request to `side` */
  const flip = async (value: string, side: "prod" | "canary") => {
    const sentAt = performance.now();
    const set = redis.set(flag, value);
    for (;;) {
      const startedAt = performance.now();
      if ((await servedBy()) === side) {
        await set;
        return startedAt - sentAt;
      }
      if (startedAt - sentAt > 5000) throw new Error("the flip had no effect");
    }
  };
  return { proxy, redis, flag, flip, servedBy };
}

/** The same with a private Redis, once the proxy's tracking connections are ready. */
async function startTrackedSwitch() {
  const server = await startPrivateRedis();
  onCleanup(server.stop);
  const started = await startSwitch(server.url);
  return { ...started, tracked: await untilTracked(started.redis) };
}

/** @returns `longestMs` without the longest, which a busy machine may have delayed */
function figures(delaysMs: number[]): { medianMs: number; longestMs: number } {
  const sorted = delaysMs.toSorted((a, b) => a - b);
  return {
    medianMs: sorted[Math.floor(sorted.length / 2)]!,
    longestMs: sorted.at(-2)!,
  };
}

/** Expects flips to arrive without a poll; a busy machine may delay one of them. */
async function expectPrompt(
  flip: (value: string, side: "prod" | "canary") => Promise<number>,
): Promise<void> {
  const delaysMs: number[] = [];
  for (let i = 0; i < 5; i++) {
    delaysMs.push(await flip("false", "prod"));
    delaysMs.push(await flip("true", "canary"));
  }
  // Polling alone would take half a second on average.
  const late = delaysMs.filter((delayMs) => delayMs >= 250);
  expect(late).to.have.lengthOf.at.most(1);
}

interface Connection {
  id: string;
  name: string;
  /** Contains `t` while it tracks keys. */
  flags: string;
  /** The connection that receives the invalidations. */
  redir: string;
  sub: string;
}

async function connectionsOf(
  redis: Redis,
  name: string,
): Promise<Connection[]> {
  const list = (await redis.client("LIST")) as string;
  return list
    .split("\n")
    .map((line) => line.split(" ").map((field) => field.split("=", 2)))
    .map((fields) => Object.fromEntries(fields) as Connection)
    .filter((connection) => connection.name === name);
}

/** Waits until Redis notifies the proxy of changes, over connections other than `before`. */
async function untilTracked(
  redis: Redis,
  before: readonly string[] = [],
): Promise<string[]> {
  return await waitFor("the proxy to be told of changes", async () => {
    const readers = await connectionsOf(redis, "proxy-flag");
    const subscribers = await connectionsOf(redis, "proxy-invalidations");
    for (const { id, flags, redir } of readers) {
      const told = subscribers.find(
        ({ id, sub }) => id === redir && sub === "1",
      );
      const ids = [id, redir];
      if (flags.includes("t") && told && !ids.some((it) => before.includes(it)))
        return ids;
    }
    return undefined;
  });
}

/** Waits until the proxy has read the flag again: until the last read's age decreases. */
async function untilReadAgain({ status }: ProxyProgram): Promise<void> {
  let lastMs = 0;
  await waitFor("another read", async () => {
    const { confirmedAgoMs } = (await status()).flag;
    const isYounger = confirmedAgoMs! < lastMs;
    lastMs = confirmedAgoMs!;
    return isYounger;
  });
}

describeEngines("proxy flag", () => {
  it("moves all traffic and back within 100 ms of a manual SET", async function () {
    const { flip } = await startTrackedSwitch();
    const off: number[] = [];
    const on: number[] = [];
    for (let i = 0; i < 15; i++) {
      off.push(await flip("false", "prod"));
      on.push(await flip("true", "canary"));
    }
    const { medianMs, longestMs } = figures(off);
    this.test!.title += ` (median ${medianMs.toFixed(1)} ms, longest but one ${longestMs.toFixed(1)} ms)`;
    expect(medianMs).to.be.below(100);
    expect(figures(on).medianMs).to.be.below(100);
    // The proxy polls once a second: none waited for a poll.
    expect(longestMs).to.be.below(500);
  });

  it("is true if it never had a value, and stays false when Redis loses it", async () => {
    const { redis, flag, flip, proxy, servedBy } = await startSwitch();
    expect(await redis.exists(flag)).to.equal(0);
    expect(await servedBy()).to.equal("canary");
    await flip("false", "prod");
    await redis.del(flag);
    await waitFor("the loss", () =>
      proxy.log.some(({ msg }) => msg.startsWith("Redis has lost the flag")),
    );
    expect(await servedBy()).to.equal("prod");
    await flip("true", "canary");
  });

  for (const garbage of ["TRUE", "", "true "]) {
    it(`reads ${JSON.stringify(garbage)} as false, and logs that once`, async () => {
      const { proxy, flip, servedBy } = await startSwitch();
      await flip(garbage, "prod");
      await untilReadAgain(proxy);
      expect(await servedBy()).to.equal("prod");
      const said = proxy.log.filter(({ msg }) =>
        msg.includes("counts as false"),
      );
      expect(said).to.have.length(1);
      expect(said[0]).to.include({
        ...{ level: "warn", flag: "feature", raw: garbage },
      });
    });
  }

  it("arrives fast after Redis has dropped both tracking connections", async () => {
    const { redis, flip, proxy, tracked } = await startTrackedSwitch();
    for (const id of tracked) await redis.client("KILL", "ID", id);
    await untilTracked(redis, tracked);
    await expectPrompt(flip);
    const polled = proxy.log.filter(({ msg }) => msg.includes("polled"));
    expect(polled).to.deep.equal([]);
  });

  for (const [index, which] of ["reading", "subscribed"].entries()) {
    it(`arrives fast after Redis has dropped only the ${which} connection`, async () => {
      const { redis, flip, tracked } = await startTrackedSwitch();
      await redis.client("KILL", "ID", tracked[index]!);
      await untilTracked(redis, [tracked[index]!]);
      await expectPrompt(flip);
    });
  }
});
