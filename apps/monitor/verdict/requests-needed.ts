import type { Outcome } from "./verdict.js";

/**
 * In the simulation, nineteen in twenty canaries that are slower by half were found before so many of their requests, by
 * the default settings (bench/results/simulate.json): one that has not been found is called healthy.
 */
export const ENOUGH_CANARY_REQUESTS = 400;

/**
 * About how many more canary requests it takes until there is a decision: 0 once there is one; null when requests alone
 * will not bring it.
 */
export function countRequestsNeeded(test: {
  outcome: Outcome | null;
  canaryRequests: number;
  /** That must come before any is counted. */
  warmUpRequestsLeft: number;
}): number | null {
  switch (test.outcome) {
    case "worse":
    case "healthy":
      return 0;
    case "insufficient": {
      const left = ENOUGH_CANARY_REQUESTS - test.canaryRequests;
      return Math.max(1, left) + test.warmUpRequestsLeft;
    }
    case "split broken":
    case null:
      return null;
  }
}
