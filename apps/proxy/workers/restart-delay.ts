const FIRST_MS = 100;
const LONGEST_MS = 10_000;
/** What has run for so long did not end because it was started. */
const SETTLED_MS = 60_000;

/** Each further early end in a row doubles the wait for the next start. */
export function restartDelayMs(earlyEnds: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(20, earlyEnds - 1));
}

/** @param earlyEnds in a row, before this one @returns with this one */
export function countEarlyEnds(earlyEnds: number, ranForMs: number): number {
  return ranForMs < SETTLED_MS ? earlyEnds + 1 : 1;
}
