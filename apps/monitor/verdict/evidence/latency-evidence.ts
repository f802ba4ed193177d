import { BUCKETS, createCounts, type BucketCounts } from "./buckets.js";
import { COMPONENT_COUNT, LOG_WEIGHTS, type Dictionary } from "./dictionary.js";
import { logSumExp } from "./total.js";

/** Requests of both sides by bucket; the canary's latencies deflated by the tolerance. */
export interface LatencyCounts {
  canary: BucketCounts;
  prod: BucketCounts;
}

export function createLatencyCounts(): LatencyCounts {
  return { canary: createCounts(), prod: createCounts() };
}

/** One number for each component. */
export type ByComponent = number[];

export function createByComponent(): ByComponent {
  return new Array<number>(COMPONENT_COUNT).fill(0);
}

/**
 * Adds to each component the winnings of its bets on these requests, as logarithms.
 *
 * A request in bucket b is the canary's with probability ρ if the canary is no slower, and with probability ρr/z,
 * z = 1−ρ+ρr, if it is slower by the ratio r(b). So a canary request wins ln(r/z), and one of prod's −ln z. Only the
 * assignment to a side is random here, not the latency, whose distribution may be any and may change. The bets are fair if
 * each request is assigned independently. With assignment in blocks they are slightly better than fair where traffic
 * repeats with a block's length, for which the guard's dispersion compensates (see burst-guard.ts).
 *
 * Lindon & Malek (arXiv 2011.03567, on time-inhomogeneous Poisson processes) condition counts in this way; here this is
 * done for each bucket. Continuous monitoring of stochastic order is from Lindon, Sanden & Shirikian
 * ("Rapid Regression Detection in Software Deployments through Sequential Testing", KDD 2022, arXiv 2205.14762).
 *
 * @param share ρ, above 0 and below 1
 */
export function addWinnings(
  sums: ByComponent,
  counts: LatencyCounts,
  { ratios, logRatios }: Dictionary,
  share: number,
): void {
  const { buckets, canary, totals } = listOccupied(counts);
  for (let component = 0; component < COMPONENT_COUNT; component++) {
    const ratio = ratios[component] ?? [];
    const logRatio = logRatios[component] ?? [];
    let sum = 0;
    for (let i = 0; i < buckets.length; i++) {
      const bucket = buckets[i] ?? 0;
      const z = 1 - share + share * (ratio[bucket] ?? 1);
      sum +=
        (canary[i] ?? 0) * (logRatio[bucket] ?? 0) -
        (totals[i] ?? 0) * Math.log(z);
    }
    sums[component] = (sums[component] ?? 0) + sum;
  }
}

/** The buckets that hold requests, with the canary's and all requests in each. */
export function listOccupied({ canary, prod }: LatencyCounts): {
  buckets: number[];
  canary: number[];
  totals: number[];
} {
  const occupied = {
    buckets: [] as number[],
    canary: [] as number[],
    totals: [] as number[],
  };
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const fromCanary = canary[bucket] ?? 0;
    const total = fromCanary + (prod[bucket] ?? 0);
    if (total === 0) continue;
    occupied.buckets.push(bucket);
    occupied.canary.push(fromCanary);
    occupied.totals.push(total);
  }
  return occupied;
}

/** The smaller of two, component by component. */
export function smallerOf(a: ByComponent, b: ByComponent): ByComponent {
  return a.map((value, component) => Math.min(value, b[component] ?? value));
}

/** The mixture's log evidence: ln Σ w·e^L. */
export function mix(components: ByComponent): number {
  return logSumExp(
    components.map((value, component) => value + (LOG_WEIGHTS[component] ?? 0)),
  );
}
