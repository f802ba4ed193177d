import {
  LatencyHistogram,
  type SparseHistogram,
} from "../../../lib/telemetry/latency-histogram.js";
import type {
  Side,
  Telemetry,
  TrafficWindow,
} from "../../../lib/telemetry/telemetry.js";
import type { Rollout } from "../../../lib/rollout/rollout.js";
import type { StreamListener } from "../telemetry/stream-reader.js";
import { excessHarm, type HarmCounts } from "./excess-harm.js";

/** As far back as a starting monitor reads. */
const KEEP_MS = 900_000;
const TRIM_MS = 60_000;

interface Heard {
  atMs: number;
  weight: number | undefined;
  target: Side;
  requests: number;
  failed: number;
  latency: SparseHistogram;
}

type Sums = Record<Side, HarmCounts>;

/**
 * The requests since a step and its rollout began. A monitor that takes over counts those of the last 15 minutes, so a longer step may last longer
 * then, but never less.
 */
export class StepTraffic implements StreamListener {
  /** Not counted yet. */
  #heard: Heard[] = [];
  #step = { since: -1, requests: 0 };
  #whole = { since: -1, sums: createSums() };

  onTelemetry({ kind, data }: Telemetry, atMs: number): void {
    if (kind !== "traffic") return;
    this.#heard.push({ atMs, ...summarise(data) });
    const oldest = this.#heard[0]?.atMs ?? atMs;
    if (atMs - oldest > KEEP_MS + TRIM_MS)
      this.#heard = this.#heard.filter((one) => atMs - one.atMs <= KEEP_MS);
  }

  /**
   * The canary's requests since the step began, by its weight, and how many of all since the rollout started users would have
   * had better at prod.
   */
  count(
    { startedAt, stepStartedAt, weight }: Place,
    tolerance: { ratio: number; ms: number },
  ): { requests: number; harm: number } {
    if (stepStartedAt !== this.#step.since)
      this.#step = { since: stepStartedAt, requests: 0 };
    if (startedAt !== this.#whole.since)
      this.#whole = { since: startedAt, sums: createSums() };
    const { sums } = this.#whole;
    for (const heard of this.#heard) {
      const { atMs, target, requests, failed, latency } = heard;
      if (atMs < startedAt) continue;
      const sum = sums[target];
      sum.requests += requests;
      sum.failed += failed;
      sum.latency.merge(latency);
      // A window of the weight before may arrive after the change.
      const isOfStep = (heard.weight ?? weight) === weight;
      if (target === "canary" && atMs >= stepStartedAt && isOfStep)
        this.#step.requests += requests;
    }
    this.#heard = [];
    return {
      requests: this.#step.requests,
      harm: excessHarm(sums.canary, sums.prod, tolerance),
    };
  }
}

type Place = Pick<Rollout, "startedAt" | "stepStartedAt" | "weight">;

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
    weight: data.weight,
    requests:
      routes === undefined
        ? data.requests
        : Object.values(routes).reduce((all, one) => all + one.requests, 0),
    failed: Math.max(0, data.errors - arms.retried),
    latency,
  };
}
