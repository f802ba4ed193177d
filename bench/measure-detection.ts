import { entryTimeMs } from "../lib/stream-entry.js";
import { describeStandIn } from "../test/support/system/program-specs.js";
import {
  monotonicMs,
  toMonotonicMs,
} from "../test/support/system/monotonic.js";
import { SteadyLoad } from "../test/support/system/steady-load.js";
import type { System } from "../test/support/system/system.js";
import { waitFor } from "../test/support/wait-for.js";
import { spreadOf, type Spread } from "./statistics.js";
import { pathOf, withSystem } from "./with-system.js";

const PER_SECOND = 50;
const HEALTHY_MS = 2;
const SLOW_MS = 1000;
const PATIENCE_MS = 30_000;

export interface DetectionFigures {
  runs: number;
  requestsPerSecond: number;
  slowMs: number;
  healthyBeforeMs: number;
  /** Ms from the canary's turning slow to the flag's being false in Redis. */
  toFlagFalse: Spread;
  samples: number[];
  failures: number;
}

/**
 * How long a canary may be slow before the flag is false, with all settings at their defaults and steady traffic. The
 * canary is a server whose latency can be switched; before each run it has been healthy for `healthyMs`.
 */
export async function measureDetection(
  runs: number,
  healthyMs: number,
): Promise<DetectionFigures> {
  const main = pathOf("./switchable-backend.js");
  const describeCanary: Parameters<typeof withSystem>[0]["describeCanary"] = (
    layout,
  ) => describeStandIn(main, layout);
  return await withSystem({ describeCanary }, async (system) => {
    const { port } = system.proxy;
    const load = new SteadyLoad({ port, path: "/", perSecond: PER_SECOND });
    load.start();
    const samples: number[] = [];
    while (samples.length < runs)
      samples.push(await runOnce(system, load, healthyMs));
    await load.stop();
    return {
      runs,
      requestsPerSecond: PER_SECOND,
      slowMs: SLOW_MS,
      healthyBeforeMs: healthyMs,
      toFlagFalse: spreadOf(samples),
      samples: samples.map(Math.round),
      failures: load.failures.length,
    };
  });
}

async function runOnce(
  system: System,
  load: SteadyLoad,
  healthyMs: number,
): Promise<number> {
  const { canaryApp } = system;
  const restoredAt = (await canaryApp.ask({ latencyMs: HEALTHY_MS })) as number;
  // Slow answers of the run before would count against this one.
  await waitFor(
    "the last slow answers",
    () => load.since(restoredAt + 2 * SLOW_MS).length > 0,
    PATIENCE_MS,
  );
  await system.setFlag(true);
  const healthySince = monotonicMs();
  const flipsBefore = (await system.events("flip")).length;
  await waitFor(
    "healthy traffic",
    () => load.since(healthySince + healthyMs).length > 0,
    healthyMs + PATIENCE_MS,
  );
  const slowSince = (await canaryApp.ask({ latencyMs: SLOW_MS })) as number;
  const flip = await waitFor(
    "the flag to be false",
    async () => (await system.events("flip"))[flipsBefore],
    PATIENCE_MS,
  );
  if (flip.by !== "monitor" || flip.data.side !== "canary")
    throw new Error(`not the canary's breach: ${flip.reason}`);
  return toMonotonicMs(entryTimeMs(flip.id)) - slowSince;
}
