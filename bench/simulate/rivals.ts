import {
  LatencyHistogram,
  TOP_BUCKET,
} from "../../lib/telemetry/latency-histogram.js";
import type { Side } from "../../lib/telemetry/telemetry.js";

/** Both sides' requests in the telemetry's buckets. */
export type FineCounts = Record<Side, Float64Array>;

export function createFineCounts(): FineCounts {
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
export function exceedsBand(
  { prod, canary }: FineCounts,
  alpha: number,
): boolean {
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
export function mannWhitney({ prod, canary }: FineCounts): number {
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

export function quantile(fine: Float64Array, q: number): number {
  const histogram = new LatencyHistogram();
  fine.forEach((count, i) => {
    if (count > 0) histogram.add(i, count);
  });
  return histogram.quantile(q) ?? 0;
}
