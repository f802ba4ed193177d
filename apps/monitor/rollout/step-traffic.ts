import {
  LatencyHistogram,
  type SparseHistogram,
} from "../../../lib/telemetry/latency-histogram.js";
import type {
  Side,
  Telemetry,
  TrafficWindow,
} from "../../../lib/telemetry/telemetry.js";
import type { StreamListener } from "../telemetry/stream-reader.js";
import { excessHarm, type HarmCounts } from "./excess-harm.js";

/** As far back as a starting monitor reads. */
const KEEP_MS = 900_000;
const TRIM_MS = 60_000;

interface Heard {
  atMs: number;
  target: Side;
  requests: number;
  failed: number;
  latency: SparseHistogram;
}

type Sums = Record<Side, HarmCounts>;

/**
 * The requests since a step began. A monitor that takes over counts those of the last 15 minutes, so a longer step may last longer
 * then, but never less.
 */
export class StepTraffic implements StreamListener {
  /** Not counted yet. */
  #heard: Heard[] = [];
  #since = -1;
  #sums: Sums = createSums();

  onTelemetry({ kind, data }: Telemetry, atMs: number): void {
    if (kind !== "traffic") return;
    this.#heard.push({ atMs, ...summarise(data) });
    const oldest = this.#heard[0]?.atMs ?? atMs;
    if (atMs - oldest > KEEP_MS + TRIM_MS)
      this.#heard = this.#heard.filter((one) => atMs - one.atMs <= KEEP_MS);
  }

  /** The canary's requests since the step began, and how many of them users would have had better at prod. */
  count(
    since: number,
    tolerance: { ratio: number; ms: number },
  ): { requests: number; harm: number } {
    if (since !== this.#since) {
      this.#since = since;
      this.#sums = createSums();
    }
    for (const { atMs, target, requests, failed, latency } of this.#heard) {
      if (atMs < since) continue;
      const sum = this.#sums[target];
      sum.requests += requests;
      sum.failed += failed;
      sum.latency.merge(latency);
    }
    this.#heard = [];
    const { canary, prod } = this.#sums;
    return {
      requests: canary.requests,
      harm: excessHarm(canary, prod, tolerance),
    };
  }
}

function createSums(): Sums {
  const none = () => ({
    requests: 0,
    failed: 0,
    latency: new LatencyHistogram(),
  });
  return { prod: none(), canary: none() };
}

/** Of the requests that were dealt. */
function summarise({ target, ...data }: TrafficWindow) {
  const { routes, latency, arms } = data;
  return {
    target,
    requests:
      routes === undefined
        ? data.requests
        : Object.values(routes).reduce((all, one) => all + one.requests, 0),
    failed: Math.max(0, data.errors - arms.retried),
    latency,
  };
}
