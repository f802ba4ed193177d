export interface BackOffLimits {
  firstMs: number;
  maxMs: number;
}

/**
 * Exponential back-off: doubles with each consecutive failure. A random `chance` varies the upper half (equal jitter).
 *
 * @param failures number of failures so far, at least 1
 * @param chance from 0 to 1
 */
export function backOffMs(
  failures: number,
  { firstMs, maxMs }: BackOffLimits,
  chance = 1,
): number {
  const fullMs = Math.min(maxMs, firstMs * 2 ** (failures - 1));
  return (fullMs / 2) * (1 + chance);
}
