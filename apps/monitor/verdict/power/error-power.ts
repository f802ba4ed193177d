import { errorEvidence } from "../evidence/error-evidence.js";
import { Z90 } from "./power.js";

/** Of the largest error ratio that is not found to the smallest one that is. */
const PRECISION = 1.02;

/**
 * The smallest share of failed requests that is found with 90 % power among so many canary requests; null if none is. Takes the
 * tenth of the canaries with the fewest errors.
 */
export function errorRatioFound(options: {
  canaryRequests: number;
  share: number;
  prodErrorRatio: number;
  toStop: number;
}): number | null {
  const { canaryRequests, share, prodErrorRatio, toStop } = options;
  const prodErrors = (canaryRequests * (1 - share) * prodErrorRatio) / share;
  const isFound = (ratio: number) => {
    const canaryErrors = Math.min(
      canaryRequests,
      lowQuantile(canaryRequests * ratio),
    );
    const evidence = errorEvidence(
      [{ share, canaryErrors, prodErrors }],
      canaryRequests,
    );
    // Half of the stake is on errors.
    return evidence - Math.LN2 >= toStop;
  };
  if (canaryRequests < 1 || !isFound(1)) return null;
  let [low, high] = [Math.max(prodErrorRatio, 1e-6), 1];
  while (high / low > PRECISION) {
    const middle = Math.sqrt(low * high);
    if (isFound(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** The 10 % quantile of a Poisson distribution. */
function lowQuantile(mean: number): number {
  if (mean > 500) return Math.floor(mean - Z90 * Math.sqrt(mean));
  let term = Math.exp(-mean);
  let sum = term;
  let count = 0;
  while (sum < 0.1) {
    count += 1;
    term *= mean / count;
    sum += term;
  }
  return count;
}
