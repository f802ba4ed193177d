import { entryTimeMs } from "../../lib/redis/stream-entry.js";
import type { Side } from "../../lib/telemetry/telemetry.js";
import {
  describeStandIn,
  type Layout,
} from "../../test/support/system/program-specs.js";
import {
  monotonicMs,
  toMonotonicMs,
} from "../../test/support/system/monotonic.js";
import { SteadyLoad } from "../../test/support/system/steady-load.js";
import type { ChildProgram } from "../../test/support/system/child-program.js";
import type { System } from "../../test/support/system/system.js";
import { waitFor } from "../../test/support/wait-for.js";
import { rangeOf, type Range } from "../statistics.js";
import { pathOf } from "../results-file.js";
import { withSystem } from "../with-system.js";
import type { Behaviour, Changed } from "./switchable-backend.js";

const PER_SECOND = 50;
const HEALTHY_MS = 2;
const SLOW_MS = 1000;
const PATIENCE_MS = 30_000;

/** An app whose behaviour `change` sets. */
export function describeSwitchable(layout: Layout, side: Side = "canary") {
  const main = pathOf("./detection/switchable-backend.js");
  return describeStandIn(main, layout, side);
}

export async function change(
  app: ChildProgram,
  behaviour: Behaviour,
): Promise<Changed> {
  return (await app.ask({ ...behaviour })) as Changed;
}

export interface DetectionFigures {
  runs: number;
  requestsPerSecond: number;
  slowMs: number;
  healthyBeforeMs: number;
  /** From the canary turning slow to the flag being false in Redis. */
  toFlagFalse: Range | null;
  samples: number[];
  /** Runs that were repeated because the machine stalled before the canary was slowed. */
  spoilt: number;
  failures: number;
}

/**
 * Measures how long a canary is slow before the flag is false, with default settings and steady traffic. The canary is a
 * server with switchable latency; before each run it is healthy for `healthyMs`.
 */
export async function measureDetection(
  runs: number,
  healthyMs: number,
): Promise<DetectionFigures> {
  const describeCanary = describeSwitchable;
  return await withSystem({ describeCanary }, async (system) => {
    const { port } = system.proxy;
    const load = new SteadyLoad({ port, path: "/", perSecond: PER_SECOND });
    load.start();
    const samples: number[] = [];
    let spoilt = 0;
    while (samples.length < runs && spoilt <= runs) {
      const sample = await runOnce(system, load, healthyMs);
      if (sample === undefined) spoilt += 1;
      else samples.push(sample);
    }
    await load.stop();
    return {
      runs,
      requestsPerSecond: PER_SECOND,
      slowMs: SLOW_MS,
      healthyBeforeMs: healthyMs,
      toFlagFalse: rangeOf(samples),
      samples: samples.map(Math.round),
      spoilt,
      failures: load.failures.length,
    };
  });
}

/** Undefined if the flag was false before the canary was slowed. */
async function runOnce(
  system: System,
  load: SteadyLoad,
  healthyMs: number,
): Promise<number | undefined> {
  const restored = await change(system.canaryApp, { latencyMs: HEALTHY_MS });
  // Slow responses of the previous run would count in this one.
  await waitFor(
    "the last slow answers",
    () => load.since(restored.atMs + 2 * SLOW_MS).length > 0,
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
  const slowed = await change(system.canaryApp, { latencyMs: SLOW_MS });
  const flip = await waitFor(
    "the flag to be false",
    async () => (await system.events("flip"))[flipsBefore],
    PATIENCE_MS,
  );
  const elapsedMs = toMonotonicMs(entryTimeMs(flip.id)) - slowed.atMs;
  return elapsedMs > 0 && flip.data.side === "canary" ? elapsedMs : undefined;
}
