import type { Outcome } from "./verdict.js";

/** A canary that has just started is cold. The warm-up ends with the first of the two. */
export const WARM_UP_MS = 30_000;
export const WARM_UP_CANARY_REQUESTS = 50;

/**
 * In the simulation, nineteen in twenty canaries that are slower by half were found before so many of their requests, by
 * the default settings and for each of the four laws in docs/verdict.md: one that has not been found is called healthy. With the
 * hard lower edge it took 575 requests.
 */
export const ENOUGH_CANARY_REQUESTS = 400;
/** Of the guard's, that must be over as well: it took the simulation's 400 requests as long. */
export const ENOUGH_BLOCKS = 3;

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
      return left > 0 ? left + test.warmUpRequestsLeft : null;
    }
    case "split broken":
    case null:
      return null;
  }
}
