import type { EngineName } from "../../apps/proxy/engines/engine.js";
import { createKeys } from "../../lib/redis/keys.js";
import { connectRedis } from "../../test/support/redis/redis-server.js";
import { monotonicMs } from "../../test/support/system/monotonic.js";
import { waitFor } from "../../test/support/wait-for.js";
import { CORES } from "./cores.js";
import type { Picks } from "./pick-tap.js";
import { rangeOf, type Range } from "../statistics.js";
import type { Scenario } from "./scenarios.js";
import { readStatus, type RunningEngine, type Stage } from "./stage.js";
import { Wrk } from "./wrk.js";

const PICKS_BEFORE = 32;
/** Longer than any measurement: the load is stopped explicitly. */
const LOAD_SECONDS = 120;

export interface FlipFigures {
  connections: number;
  /** From sending the SET to the proxy's last pick of the canary; 0 if that was earlier. */
  ms: Range | null;
  /** The same, where a rollout's weight becomes 0. Absent in results of earlier releases. */
  weightMs?: Range | null;
}

/** How long the proxy, under full load, still picks the canary after the flag is false. */
export async function measureFlips(
  stage: Stage,
  options: { engine: EngineName; flips: number; scenario: Scenario },
): Promise<FlipFigures> {
  const { engine: name, flips, scenario } = options;
  const engine = await stage.startEngine(name, { isTapped: true });
  const { connections } = scenario;
  const load = new Wrk({
    scenario,
    port: engine.running.port,
    seconds: LOAD_SECONDS,
    cpu: CORES.load,
    directory: stage.directory,
  });
  try {
    const { flag, flagWeight } = createKeys(engine.keyPrefix);
    const ofFlag = await flipOften(stage, engine, {
      ...{ flips, key: flag("feature"), on: "true", off: "false" },
    });
    const ofWeight = await flipOften(stage, engine, {
      ...{ flips, key: flagWeight("feature"), on: "25", off: "0" },
    });
    load.stop();
    await load.answers();
    return { connections, ms: rangeOf(ofFlag), weightMs: rangeOf(ofWeight) };
  } finally {
    load.stop();
    await stage.end(engine.running);
  }
}

interface Switch {
  flips: number;
  key: string;
  on: string;
  off: string;
}

/** Leaves it on. */
async function flipOften(
  stage: Stage,
  engine: RunningEngine,
  { flips, key, on, off }: Switch,
): Promise<number[]> {
  const redis = connectRedis(stage.redisUrl);
  const picks = async () => (await engine.running.ask("tell")) as Picks;
  const samples: number[] = [];
  try {
    while (samples.length < flips) {
      await redis.set(key, on);
      const { count } = await picks();
      await waitFor(
        "canary requests",
        async () => (await picks()).count > count + PICKS_BEFORE,
      );
      const sentAt = monotonicMs();
      await redis.set(key, off);
      await untilAllAnswered(engine);
      samples.push(Math.max(0, (await picks()).lastAtMs - sentAt));
    }
    await redis.set(key, on);
  } finally {
    redis.disconnect();
  }
  return samples;
}

/** Waits for enough further requests that all earlier ones have ended. */
async function untilAllAnswered(engine: RunningEngine): Promise<void> {
  const count = async () => (await readStatus(engine)).requests.prod;
  const before = await count();
  await waitFor(
    "the load to go on",
    async () => (await count()) > before + 512,
  );
}
