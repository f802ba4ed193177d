const EXACT: number[] = [0];
for (let n = 1; n < 32; n++) EXACT.push((EXACT[n - 1] ?? 0) + Math.log(n));

/** ln n! of a whole n ≥ 0: summed up to 31, by Stirling's series beyond (error below 1e-15; DLMF 5.11.1). */
export function logFactorial(n: number): number {
  const exact = EXACT[n];
  if (exact !== undefined) return exact;
  const square = 1 / (n * n);
  const series = (1 / 12 - square * (1 / 360 - square / 1260)) / n;
  return n * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI * n) + series;
}
