import { expect } from "chai";
import type { Redis } from "ioredis";
import {
  parseReceipt,
  parseTelemetry,
  type Side,
} from "../../../lib/telemetry/telemetry.js";
import { startNamedBackend } from "../../support/http/backend.js";
import { onCleanup } from "../../support/cleanup.js";
import { describeEngines } from "../../support/http/engines.js";
import { createKeepAliveAgent, send } from "../../support/http/http-client.js";
import {
  canaryToBe,
  spawnProxyProgram,
  startOpenProxy,
  weightToBe,
  type ProxyProgram,
} from "../../support/programs/proxy-program.js";
import { connectRedis } from "../../support/redis/redis-server.js";
import { scrape } from "../../support/scrape.js";
import { waitFor } from "../../support/wait-for.js";
import { canHaveSeveral } from "../../support/workers/several-workers.js";

interface Sides {
  proxy: ProxyProgram;
  redis: Redis;
  /** Writes a weight and waits until the proxy shows it. */
  weigh: (raw: string | null, shown: number) => Promise<void>;
}

async function startSides(env: Record<string, string> = {}): Promise<Sides> {
  const prod = await startNamedBackend("prod");
  const canary = await startNamedBackend("canary");
  // Workers read the environment of their process.
  const start = env.WORKERS === undefined ? startOpenProxy : spawnProxyProgram;
  const proxy = await start({
    PROD_URLS: prod.url.origin,
    CANARY_URLS: canary.url.origin,
    TELEMETRY_INTERVAL_MS: "50",
    ...env,
  });
  await canaryToBe(proxy, null);
  const redis = connectRedis();
  onCleanup(() => redis.disconnect());
  const key = proxy.keys.flagWeight("feature");
  const weigh: Sides["weigh"] = async (raw, shown) => {
    if (raw === null) await redis.del(key);
    else await redis.set(key, raw);
    await weightToBe(proxy, shown);
  };
  return { proxy, redis, weigh };
}

/** @returns how many of `count` requests the canary served */
async function countCanary(port: number, count: number): Promise<number> {
  const agent = createKeepAliveAgent(1);
  let served = 0;
  for (let i = 0; i < count; i++)
    if ((await send(port, { agent })).servedBy === "canary") served += 1;
  return served;
}

/** The dealt requests by the split of their windows. */
async function readDealt(
  redis: Redis,
  { keys }: ProxyProgram,
): Promise<{ all: number; dealt: Map<string, Record<Side, number>> }> {
  let all = 0;
  const dealt = new Map<string, Record<Side, number>>();
  for (const [, fields] of await redis.xrange(keys.telemetry, "-", "+")) {
    const window = parseTelemetry(fields);
    if ("problem" in window || window.kind !== "traffic") continue;
    const { split = "", target, requests, dealt: count = 0 } = window.data;
    all += requests;
    const sides = dealt.get(split) ?? { prod: 0, canary: 0 };
    sides[target] += count;
    dealt.set(split, sides);
  }
  return { all, dealt };
}

describeEngines("proxy weight", () => {
  it("deals each weight exactly in blocks, from the next request on, and SPLIT without one", async () => {
    const { proxy, weigh } = await startSides();
    expect(await countCanary(proxy.port, 6)).to.be.within(1, 2);
    for (const [raw, shown, block, canary] of [
      ["7.5", 7.5, 40, 3],
      ["50", 50, 2, 1],
      ["0", 0, 40, 0],
      ["2.00", 2, 50, 1],
      ["100", 100, 40, 40],
      [null, 25, 4, 1],
    ] as const) {
      await weigh(raw, shown);
      expect(await countCanary(proxy.port, block)).to.equal(canary);
      expect(await countCanary(proxy.port, block)).to.equal(canary);
    }
  });

  it("sends the canary nothing while the stored weight is malformed, and says why", async () => {
    const { proxy, weigh } = await startSides();
    await weigh("lots", 0);
    expect(await countCanary(proxy.port, 20)).to.equal(0);
    expect((await proxy.status()).weightProblem).to.match(
      /^the stored weight "lots" counts as 0: give percent/,
    );
    await weigh("50", 50);
    expect((await proxy.status()).weightProblem).to.equal(null);
  });

  it("is in the metrics as the configured share", async () => {
    const { proxy, weigh } = await startSides();
    await weigh("7.5", 7.5);
    const { samples } = await scrape(`http://127.0.0.1:${proxy.adminPort}`);
    expect(samples.get('serin_canary_share{kind="configured"}')).to.equal(
      0.075,
    );
  });

  it("is in a receipt for each change", async () => {
    const { proxy, redis, weigh } = await startSides();
    await weigh("2", 2);
    await weigh("7.5", 7.5);
    const weights = await waitFor("the receipts", async () => {
      const entries = await redis.xrange(proxy.keys.telemetry, "-", "+");
      const receipts = entries.flatMap(
        ([, fields]) => parseReceipt(fields) ?? [],
      );
      const told = receipts.map(({ data }) => `${data.weight} ${data.open}`);
      return told.at(-1) === "7.5 true" ? told : undefined;
    });
    expect(weights.slice(-3)).to.deep.equal(["25 true", "2 true", "7.5 true"]);
  });

  for (const workers of canHaveSeveral ? ["1", "2"] : ["1"])
    it(`has windows whose requests were all dealt by their split, with WORKERS=${workers}`, async () => {
      const { proxy, redis, weigh } = await startSides({ WORKERS: workers });
      const load = { isOver: false, sent: 0 };
      const lanes = Array.from({ length: 8 }, async () => {
        const agent = createKeepAliveAgent(1);
        while (!load.isOver) {
          await send(proxy.port, { agent });
          load.sent += 1;
        }
      });
      for (const weight of ["50", "2", "20", "0", "100", "10"]) {
        // While it is read, nothing is dealt.
        await weigh(weight, Number(weight));
        const until = load.sent + 300;
        await waitFor("the load", () => load.sent > until);
      }
      load.isOver = true;
      await Promise.all(lanes);
      const dealt = await waitFor("the windows", async () => {
        const { all, dealt } = await readDealt(redis, proxy);
        return all === load.sent ? dealt : undefined;
      });
      for (const [split, share] of [
        ["1:1", 0.5],
        ["49:1", 0.02],
        ["4:1", 0.2],
        ["1:0", 0],
        ["0:1", 1],
        ["9:1", 0.1],
      ] as const) {
        const { prod, canary } = dealt.get(split)!;
        expect(prod + canary).to.be.above(200);
        // Each thread leaves one block unfinished.
        const unfinished = Number(workers);
        expect(canary, split).to.be.closeTo(
          (prod + canary) * share,
          share * (1 - share) === 0 ? 0 : unfinished,
        );
      }
    });
});
