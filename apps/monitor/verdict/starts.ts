import { logSumExp } from "./evidence/total.js";

/**
 * After an hour of a healthy canary, the bets on its being slower are lost, and a regression would need as long to win
 * them back. Therefore a fifth of the stake is kept for later bets: the k-th restart gets 1/(k(k+1)) of it, which sums to
 * all of it. A mixture of e-processes with fixed weights that sum to 1 is an e-process, whenever each one starts (Ramdas
 * et al., arXiv 2210.01948).
 */
const STAKE_ON_WHOLE = 0.8;
const KEPT = 1 - STAKE_ON_WHOLE;

/** Only the latest restarts keep running; the stakes of the others are given up. */
export const LIVE_RESTARTS = 2;
/** The minimum time and number of canary requests between restarts. */
export const RESTART_MS = 300_000;
export const RESTART_CANARY_REQUESTS = 400;

/** Logarithm of the share of the stake on the test's start (0) or its k-th restart. */
export function logStake(start: number): number {
  return start === 0
    ? Math.log(STAKE_ON_WHOLE)
    : Math.log(KEPT / (start * (start + 1)));
}

/**
 * The log evidence of all bets.
 *
 * @param begun the number of restarts so far: the stake for further ones is unchanged
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
