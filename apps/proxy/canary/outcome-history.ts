/** How many outcomes a history reaches back. */
export const HISTORY_LENGTH = 20;

const MASK = 2 ** HISTORY_LENGTH - 1;

/**
 * The last twenty outcomes of one side in 32 bits, so that threads can share and replace them in one step: a bit for each
 * from the lowest, the newest, up (1: it failed), and above them how many there are. 0 is the empty history.
 */
export function addOutcome(history: number, failed: boolean): number {
  const count = Math.min(HISTORY_LENGTH, countOutcomes(history) + 1);
  const bits = ((history << 1) | (failed ? 1 : 0)) & MASK;
  return (count << HISTORY_LENGTH) | bits;
}

export function countOutcomes(history: number): number {
  return history >>> HISTORY_LENGTH;
}

export function countFailures(history: number): number {
  let failures = 0;
  for (let bits = history & MASK; bits !== 0; bits &= bits - 1) failures += 1;
  return failures;
}

/** How many failures there are since the last success. */
export function failuresInARow(history: number): number {
  const successes = ~history & MASK;
  return successes === 0
    ? HISTORY_LENGTH
    : 31 - Math.clz32(successes & -successes);
}
