import type { Outcome } from "./verdict.js";

/** The warm-up of a cold canary ends at the first of the two. */
export const WARM_UP_MS = 30_000;
export const WARM_UP_CANARY_REQUESTS = 50;

/**
 * A canary without evidence after this many requests is healthy. In the simulation, with default settings and each of the
 * four laws in docs/verdict.md, 95 % of the canaries that are slower by half were detected by then.
 */
export const ENOUGH_CANARY_REQUESTS = 400;
/** The guard's blocks that must also be over: the time of 400 requests in the simulation. */
export const ENOUGH_BLOCKS = 3;

/**
 * The estimated number of canary requests until a decision: 0 after it, null if requests alone do not lead to one.
 */
export function countRequestsNeeded(test: {
  outcome: Outcome | null;
  canaryRequests: number;
  /** Requests before counting starts. */
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
