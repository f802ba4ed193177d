export interface RetryLimits {
  firstMs: number;
  maxMs: number;
}

/**
 * Exponential back-off with equal jitter: doubles with each failure in a row, and half of it is left to chance.
 *
 * @param failures how many so far, at least 1
 * @param chance from 0 up to 1
 */
export function retryDelayMs(
  failures: number,
  limits: RetryLimits,
  chance: number,
): number {
  const fullMs = Math.min(limits.maxMs, limits.firstMs * 2 ** (failures - 1));
  return (fullMs / 2) * (1 + chance);
}
