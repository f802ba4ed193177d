/** The number of outcomes in a full history. */
const HISTORY_LENGTH = 20;

const MASK = 2 ** HISTORY_LENGTH - 1;

/**
 * The last twenty outcomes of one side in 32 bits, so that threads can share and replace them atomically. The lowest bit is
 * the newest outcome (1: failed); the bits above the twenty hold their count. 0 is the empty history.
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

/** The failures since the last success. */
export function failuresInARow(history: number): number {
  const successes = ~history & MASK;
  return successes === 0
    ? HISTORY_LENGTH
    : 31 - Math.clz32(successes & -successes);
}
