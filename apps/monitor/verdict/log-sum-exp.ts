/** ln Σ e^x, without overflow; −∞ for none. */
export function logSumExp(values: ArrayLike<number>): number {
  let largest = -Infinity;
  for (let i = 0; i < values.length; i++)
    largest = Math.max(largest, values[i] ?? -Infinity);
  if (largest === -Infinity) return -Infinity;
  let sum = 0;
  for (let i = 0; i < values.length; i++)
    sum += Math.exp((values[i] ?? -Infinity) - largest);
  return largest + Math.log(sum);
}
