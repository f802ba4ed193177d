import { TOP_BUCKET } from "../../../../lib/telemetry/latency-histogram.js";

/** The telemetry's: sixteen to an octave. */
export const BUCKETS = TOP_BUCKET + 1;

type Shape = (
  midRank: number,
  isAbove: (quantile: number) => boolean,
) => number;

interface Component {
  weight: number;
  shape: Shape;
}

/** Slower throughout: requests move up prod's ranks. */
const SHIFTS: Component[] = [0.1, 0.25, 0.6, 1.5, 4].map((lambda) => ({
  weight: 1 / 15,
  shape: (midRank) => Math.exp(lambda * (2 * midRank - 1)),
}));
/** A heavier tail. */
const TAILS: Component[] = [0.15, 0.4, 0.8].map((lambda) => ({
  weight: 1 / 9,
  shape: (midRank) => Math.exp(-lambda * Math.log(1 - midRank)),
}));
/** More requests beyond one of prod's high quantiles. */
const STEPS: Component[] = [0.9, 0.96, 0.99, 0.999].flatMap((quantile) =>
  [0.5, 1.2, 2.4, 4].map((lambda) => ({
    weight: 1 / 48,
    shape: (_midRank: number, isAbove: (quantile: number) => boolean) =>
      isAbove(quantile) ? Math.exp(lambda) : 1,
  })),
);

const SLOW_QUANTILE = 0.75;

const COMPONENTS: readonly Component[] = [...SHIFTS, ...TAILS, ...STEPS];

export const COMPONENT_COUNT = COMPONENTS.length;
/** The components' prior weights, which sum to 1, as logarithms. */
export const LOG_WEIGHTS = Float64Array.from(COMPONENTS, ({ weight }) =>
  Math.log(weight),
);

/**
 * The ways in which a canary may be slower. Each is the log ratio by bucket of its latency's density to prod's,
 * non-decreasing. A mixture of bets on them is an e-process under "no slower" (testing by betting: Ramdas, Grünwald, Vovk &
 * Shafer, "Game-theoretic statistics and safe anytime-valid inference", arXiv 2210.01948).
 */
export interface Dictionary {
  /** `[bucket][component]` */
  readonly logRatiosOf: readonly Float64Array[];
  /** A latency in a bucket above this one is slow: three quarters of prod's are not. */
  readonly slowAbove: number;
}

/** Made of prod's latencies by bucket before the test: counted requests must not be among them. */
export function createDictionary(warmUp: ArrayLike<number>): Dictionary {
  const { masses, midRanks, cutOf } = describeProd(warmUp);
  const logRatiosOf = Array.from(
    masses,
    () => new Float64Array(COMPONENT_COUNT),
  );
  COMPONENTS.forEach(({ shape }, component) => {
    const raw = masses.map((_, bucket) =>
      shape(midRanks[bucket] ?? 0, (quantile) => bucket > cutOf(quantile)),
    );
    const mean = raw.reduce(
      (sum, ratio, bucket) => sum + ratio * (masses[bucket] ?? 0),
      0,
    );
    logRatiosOf.forEach((byComponent, bucket) => {
      byComponent[component] = Math.log((raw[bucket] ?? 0) / mean);
    });
  });
  return { logRatiosOf, slowAbove: findSlow(warmUp) };
}

function findSlow(warmUp: ArrayLike<number>): number {
  let total = 0;
  for (let bucket = 0; bucket < BUCKETS; bucket++) total += warmUp[bucket] ?? 0;
  let below = 0;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    below += warmUp[bucket] ?? 0;
    if (below >= SLOW_QUANTILE * total) return bucket;
  }
  return BUCKETS;
}

/** Prod's distribution, with one more request beyond all of them. */
function describeProd(warmUp: ArrayLike<number>) {
  let total = 1;
  for (let bucket = 0; bucket < BUCKETS; bucket++) total += warmUp[bucket] ?? 0;
  const masses = new Float64Array(BUCKETS);
  const midRanks = new Float64Array(BUCKETS);
  let below = 0;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const count = warmUp[bucket] ?? 0;
    masses[bucket] = (count + (bucket === BUCKETS - 1 ? 1 : 0)) / total;
    midRanks[bucket] = (below + count / 2 + 0.5) / total;
    below += count;
  }
  const cutOf = (quantile: number) => {
    let mass = 0;
    for (let bucket = 0; bucket < BUCKETS - 2; bucket++) {
      mass += masses[bucket] ?? 0;
      if (mass >= quantile) return bucket;
    }
    return BUCKETS - 2;
  };
  return { masses, midRanks, cutOf };
}
