/** A row of bench/results/simulate.json. */
export interface Figures {
  part: string;
  name: string;
  law: string;
  releases: number;
  /** By what stops the canary. */
  stopped: Record<string, StopFigures>;
}

export interface StopFigures {
  /** Releases that it stopped. */
  count: number;
  /** Releases that were not stopped before counting began. */
  of: number;
  /** The share of stopped ones is at most this, with 95 % confidence. */
  upToRatio: number;
  /** Canary requests until the stop; null if it is not stopped. */
  median: number | null;
  /** The median is at most this, with 95 % confidence. */
  upToMedian: number | null;
  p90: number | null;
  medianSeconds: number | null;
  most: number | null;
}

const CONFIDENCE = 0.95;

/** @param stops of each release: after so many requests and seconds, or undefined */
export function describeStops(
  stops: readonly ({ requests: number; seconds: number } | undefined)[],
  isHealthy: boolean,
): StopFigures {
  const counted = isHealthy
    ? stops
    : stops.filter((stop) => stop === undefined || stop.requests > 0);
  const of = counted.length;
  const count = counted.filter((stop) => stop !== undefined).length;
  const sorted = (what: "requests" | "seconds") =>
    counted
      .map((stop) => stop?.[what] ?? Infinity)
      .toSorted((one, other) => one - other);
  const requests = sorted("requests");
  const at = (list: readonly number[], rank: number) => {
    const value = list[rank - 1] ?? Infinity;
    return Number.isFinite(value) ? value : null;
  };
  return {
    ...{ count, of, upToRatio: upperBound(count, of) },
    median: at(requests, Math.ceil(of / 2)),
    upToMedian: at(requests, rankOfMedian(of)),
    p90: at(requests, Math.ceil(0.9 * of)),
    medianSeconds: at(sorted("seconds"), Math.ceil(of / 2)),
    most: at(requests, of),
  };
}

/** The one-sided upper bound by Clopper & Pearson (Biometrika 26, 1934). */
export function upperBound(count: number, of: number): number {
  if (count >= of) return 1;
  let [low, high] = [count / of, 1];
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2;
    if (binomialUpTo(count, of, middle) > 1 - CONFIDENCE) low = middle;
    else high = middle;
  }
  return high;
}

/** The order statistic that is above the median with 95 % confidence. */
function rankOfMedian(of: number): number {
  let rank = 1;
  while (rank <= of && binomialUpTo(rank - 1, of, 0.5) < CONFIDENCE) rank += 1;
  return rank;
}

/** P(X ≤ count) of a binomial distribution. */
function binomialUpTo(count: number, of: number, p: number): number {
  let log = of * Math.log1p(-p);
  let sum = Math.exp(log);
  for (let k = 1; k <= count; k++) {
    log += Math.log((of - k + 1) / k) + Math.log(p / (1 - p));
    sum += Math.exp(log);
  }
  return sum;
}
