/** Evidence of 1000 : 1 that the split does not match its share. */
export const BROKEN_SPLIT = Math.log(1000);

/** Requests that a split with this canary share has sent to each side. */
export interface Dealt {
  /** ρ, above 0 and below 1. */
  share: number;
  canary: number;
  prod: number;
}

/**
 * Log evidence that the split does not match the configured share, valid however often it is checked: the sequential
 * multinomial test (Lindon & Malek, "Anytime-Valid Inference for Multinomial Count Data", NeurIPS 2022,
 * arXiv 2011.03567) with a uniform prior on the share.
 */
export function checkShare({ share, canary, prod }: Dealt): number {
  const logBeta =
    logFactorial(canary) + logFactorial(prod) - logFactorial(canary + prod + 1);
  return logBeta - canary * Math.log(share) - prod * Math.log(1 - share);
}

const EXACT: number[] = [0];
for (let n = 1; n < 32; n++) EXACT.push((EXACT[n - 1] ?? 0) + Math.log(n));

/** ln n! of a whole n ≥ 0: summed up to 31, by Stirling's series beyond (error below 1e-15; DLMF 5.11.1). */
function logFactorial(n: number): number {
  const exact = EXACT[n];
  if (exact !== undefined) return exact;
  const square = 1 / (n * n);
  const series = (1 / 12 - square * (1 / 360 - square / 1260)) / n;
  return n * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI * n) + series;
}
