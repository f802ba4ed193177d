import { logSumExp } from "./total.js";

const ERROR_RATIO_TOLERANCE = 1.2;
const ERROR_FLOOR = 0.001;
/** The ratios of the canary's errors to prod's on which bets are made, as multiples of the tolerated ratio. */
const RATIOS = [1.5, 2, 3, 5, 10, 30, 100, 1000];

/** Errors of both sides while the canary's share was `share`, which is above 0 and below 1. */
export interface ErrorCounts {
  share: number;
  canaryErrors: number;
  prodErrors: number;
}

/**
 * Log evidence that the canary's error ratio exceeds `tolerated` times prod's. An error is the canary's with probability
 * θ(r) = ρr/(1−ρ+ρr), however the rate of errors changes (Lindon & Malek, arXiv 2011.03567, on
 * time-inhomogeneous Poisson processes; used for canaries by Lindon, Sanden & Shirikian, arXiv 2205.14762).
 */
export function relativeErrorEvidence(
  counts: readonly ErrorCounts[],
  tolerated = ERROR_RATIO_TOLERANCE,
): number {
  const bets = RATIOS.map((multiple) => {
    let sum = 0;
    for (const { share, canaryErrors, prodErrors } of counts) {
      const odds = (ratio: number) => (share * ratio) / (1 - share);
      const before = odds(tolerated);
      const after = odds(tolerated * multiple);
      // θ = odds/(1+odds), 1−θ = 1/(1+odds)
      const logRest = Math.log((1 + before) / (1 + after));
      sum +=
        canaryErrors * (Math.log(after / before) + logRest) +
        prodErrors * logRest;
    }
    return sum;
  });
  return logSumExp(bets) - Math.log(RATIOS.length);
}

/** Log evidence that the canary's error ratio is above `floor`, which is above 0: a mixture of likelihood ratios. */
export function absoluteErrorEvidence(
  errors: number,
  requests: number,
  floor = ERROR_FLOOR,
): number {
  const ratios: number[] = [];
  for (let power = 1; power <= 9; power++) {
    const ratio = floor * 2 ** power;
    if (ratio < 1) ratios.push(ratio);
  }
  const bets = ratios.map(
    (ratio) =>
      errors * Math.log(ratio / floor) +
      (requests - errors) * Math.log((1 - ratio) / (1 - floor)),
  );
  return logSumExp(bets) - Math.log(ratios.length);
}

/** Worse than prod, and not negligible. */
export function errorEvidence(
  counts: readonly ErrorCounts[],
  canaryRequests: number,
): number {
  const errors = counts.reduce(
    (sum, { canaryErrors }) => sum + canaryErrors,
    0,
  );
  return Math.min(
    relativeErrorEvidence(counts),
    absoluteErrorEvidence(errors, canaryRequests),
  );
}
