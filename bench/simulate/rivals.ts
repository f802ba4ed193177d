import {
  bucketOf,
  LatencyHistogram,
  TOP_BUCKET,
} from "../../lib/telemetry/latency-histogram.js";
import type { Side } from "../../lib/telemetry/telemetry.js";
import type { SimulatedRequest } from "./traffic.js";

export const RIVALS = [
  "p95 threshold per minute",
  "Mann-Whitney 98 % once",
  "Mann-Whitney 98 % each minute",
  "uniform band (DKW)",
] as const;
export type Rival = (typeof RIVALS)[number];

const ALPHA = 0.01;
const P95_RATIO = 1.25;
/** Φ⁻¹(0.98) */
const Z_98 = 2.0537;

/** What other methods say of a release's requests. */
export class Rivals {
  readonly #seconds: number;
  readonly #all = createFineCounts();
  readonly #before: Float64Array;
  #minute = createFineCounts();
  #second = 0;

  /** @param before prod's requests, by bucket */
  constructor(before: Float64Array, seconds: number) {
    this.#before = before;
    this.#seconds = seconds;
  }

  hear({ side, latencyMs }: SimulatedRequest): void {
    const bucket = bucketOf(latencyMs);
    this.#all[side][bucket]! += 1;
    this.#minute[side][bucket]! += 1;
  }

  /** @returns those that stop the canary now */
  endSecond(): Rival[] {
    this.#second += 1;
    const stops: Rival[] = [];
    if (exceedsBand(this.#all, ALPHA)) stops.push("uniform band (DKW)");
    const isSlower = () => mannWhitney(this.#all) > Z_98;
    if (this.#second === this.#seconds && isSlower())
      stops.push("Mann-Whitney 98 % once");
    if (this.#second % 60 > 0) return stops;
    if (isSlower()) stops.push("Mann-Whitney 98 % each minute");
    const thresholdMs = P95_RATIO * quantile(this.#before, 0.95);
    if (quantile(this.#minute.canary, 0.95) > thresholdMs)
      stops.push("p95 threshold per minute");
    this.#minute = createFineCounts();
    return stops;
  }
}

/** Both sides' requests in the telemetry's buckets. */
type FineCounts = Record<Side, Float64Array>;

function createFineCounts(): FineCounts {
  const create = () => new Float64Array(TOP_BUCKET + 1);
  return { prod: create(), canary: create() };
}

/**
 * Half the width of a band about an empirical distribution that holds at all times at once (Howard & Ramdas,
 * "Sequential estimation of quantiles", arXiv 1906.09712, the empirical process's finite iterated-logarithm bound).
 */
export function bandWidth(requests: number, alpha: number): number {
  const iterated = Math.log(Math.log(Math.E * requests));
  return 0.85 * Math.sqrt((iterated + 0.8 * Math.log(1612 / alpha)) / requests);
}

/** Lindon, Sanden & Shirikian (arXiv 2205.14762): the two bands prove the canary slower somewhere. */
function exceedsBand({ prod, canary }: FineCounts, alpha: number): boolean {
  const totals = [prod, canary].map((c) => c.reduce((a, b) => a + b, 0));
  const [prodTotal = 0, canaryTotal = 0] = totals;
  if (prodTotal === 0 || canaryTotal === 0) return false;
  const width =
    bandWidth(prodTotal, alpha / 2) + bandWidth(canaryTotal, alpha / 2);
  let prodBelow = 0;
  let canaryBelow = 0;
  for (let i = 0; i <= TOP_BUCKET; i++) {
    prodBelow += prod[i]!;
    canaryBelow += canary[i]!;
    if (prodBelow / prodTotal - canaryBelow / canaryTotal > width) return true;
  }
  return false;
}

/** The standardised rank sum of the canary's latencies, with the ties' correction. */
function mannWhitney({ prod, canary }: FineCounts): number {
  let u = 0;
  let below = 0;
  let ties = 0;
  let m = 0;
  let n = 0;
  for (let i = 0; i <= TOP_BUCKET; i++) {
    const p = prod[i]!;
    const c = canary[i]!;
    u += c * (below + p / 2);
    below += p;
    m += p;
    n += c;
    ties += (p + c) ** 3 - (p + c);
  }
  const all = m + n;
  const variance =
    ((m * n) / 12) * (all + 1 - ties / (all * Math.max(1, all - 1)));
  return variance > 0 ? (u - (m * n) / 2) / Math.sqrt(variance) : 0;
}

function quantile(fine: Float64Array, q: number): number {
  const histogram = new LatencyHistogram();
  fine.forEach((count, i) => {
    if (count > 0) histogram.add(i, count);
  });
  return histogram.quantile(q) ?? 0;
}
