import { logSumExp } from "./evidence/total.js";

/**
 * A canary that has been healthy for an hour has lost all that was bet on its being slower, and it would take as long
 * until a regression has won it back. So a fifth of the stake is kept for bets that start later: for the k-th of them
 * 1/(k(k+1)) of that fifth, which is all of it in the end. A mixture of e-processes whose weights are fixed beforehand and
 * sum to 1 is one (Ramdas et al., arXiv 2210.01948), whenever each begins.
 */
const STAKE_ON_WHOLE = 0.8;
const KEPT = 1 - STAKE_ON_WHOLE;

/** Only the latest restarts go on; what the others had left is given up. */
export const LIVE_RESTARTS = 2;
/** A restart goes on alone for so long at least, and for so many canary requests. */
export const RESTART_MS = 300_000;
export const RESTART_CANARY_REQUESTS = 400;

/** Log of what part of the stake is on the test's start (0), or on its k-th restart. */
export function logStake(start: number): number {
  return start === 0
    ? Math.log(STAKE_ON_WHOLE)
    : Math.log(KEPT / (start * (start + 1)));
}

/**
 * The log evidence of all bets, whenever they started.
 *
 * @param begun how many restarts there have been: what is kept for others stands as it is
 */
export function mixStarts(
  bets: readonly { start: number; evidence: number }[],
  begun: number,
): number {
  return logSumExp([
    ...bets.map(({ start, evidence }) => logStake(start) + evidence),
    Math.log(KEPT / (begun + 1)),
  ]);
}
