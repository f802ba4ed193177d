export interface BackOffLimits {
  firstMs: number;
  maxMs: number;
}

/**
 * Exponential back-off: doubles with each failure in a row. With a random `chance`, half of it is left to chance (equal
 * jitter).
 *
 * @param failures how many so far, at least 1
 * @param chance from 0 up to 1
 */
export function backOffMs(
  failures: number,
  { firstMs, maxMs }: BackOffLimits,
  chance = 1,
): number {
  const fullMs = Math.min(maxMs, firstMs * 2 ** (failures - 1));
  return (fullMs / 2) * (1 + chance);
}
