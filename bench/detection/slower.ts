import { setTimeout as sleep } from "node:timers/promises";
import type { System } from "../../test/support/system/system.js";
import { measureStop } from "../faults/canary-stop.js";
import { rangeOf, type Range } from "../statistics.js";
import type { RunFacts } from "../results-file.js";
import { change, type DetectionFigures } from "./measure.js";
import type { Behaviour } from "./switchable-backend.js";

const MEDIAN_MS = 30;
const HEALTHY = slowBy(1);
const WARM_UP_MS = 10_000;
const HICCUPS = 2;
const HICCUP_MS = 2000;
const PAUSE_MS = 28_000;

/** bench/results/detection.json */
export interface DetectionResults extends RunFacts, DetectionFigures {
  slower: SlowerFigures;
}

/** A canary that becomes twice as slow after hiccups, run by run. */
export interface SlowerFigures {
  runs: number;
  perSecond: number;
  warmUpMs: number;
  seconds: Range | null;
  canaryRequests: Range | null;
}

/** At 100 requests/s, lognormal around 30 ms; default settings but for a shorter warm-up. */
export async function measureSlower(runs: number): Promise<SlowerFigures> {
  const perSecond = 100;
  const { seconds, canaryRequests } = await measureStop(
    {
      name: "is twice as slow",
      perSecond,
      healthy: HEALTHY,
      worse: slowBy(2),
      env: { monitor: { VERDICT_WARM_UP: `${WARM_UP_MS}ms` } },
      before: hiccup,
    },
    { runs, healthyMs: 2 * WARM_UP_MS },
  );
  return {
    ...{ runs, perSecond, warmUpMs: WARM_UP_MS },
    seconds: rangeOf(seconds),
    canaryRequests: rangeOf(canaryRequests),
  };
}

/** Three times as slow for two seconds, again and again. */
async function hiccup({ canaryApp }: System): Promise<void> {
  for (let i = 0; i < HICCUPS; i++) {
    await change(canaryApp, slowBy(3));
    await sleep(HICCUP_MS);
    await change(canaryApp, HEALTHY);
    await sleep(PAUSE_MS);
  }
}

function slowBy(factor: number): Behaviour {
  return { latencyMs: factor * MEDIAN_MS, spread: 0.45 };
}
