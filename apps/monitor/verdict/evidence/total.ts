const LOG_HALF = Math.log(0.5);

/** Both kinds of evidence, with half of the stake on each. The average of e-processes is an e-process. */
export function totalEvidence(latency: number, errors: number): number {
  return logSumExp([LOG_HALF + latency, LOG_HALF + errors]);
}

/**
 * Ville's inequality (see Ramdas et al., arXiv 2210.01948): under "no worse", and if each request is assigned
 * independently, the evidence ever reaches 1/alpha with probability at most alpha.
 *
 * @param attempt the number of earlier tries of the same release: each further try may use half as much of alpha, so that
 *   all of them together use at most twice alpha
 */
export function evidenceToStop(alpha: number, attempt = 0): number {
  return Math.log(1 / alpha) + attempt * Math.LN2;
}

/** ln Σ e^x, without overflow; −∞ for none. */
export function logSumExp(values: Float64Array | readonly number[]): number {
  let largest = -Infinity;
  for (const value of values) largest = Math.max(largest, value);
  if (largest === -Infinity) return -Infinity;
  let sum = 0;
  for (const value of values) sum += Math.exp(value - largest);
  return largest + Math.log(sum);
}
