export interface Spread {
  count: number;
  median: number;
  p90: number;
  max: number;
}

/** Of at least one value, each rounded to hundredths. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return {
    count: sorted.length,
    median: round(medianOf(sorted)),
    p90: round(sorted[Math.ceil(sorted.length * 0.9) - 1] ?? NaN),
    max: round(sorted.at(-1) ?? NaN),
  };
}

/** @param sorted ascending */
export function medianOf(sorted: readonly number[]): number {
  const middle = (sorted.length - 1) / 2;
  const low = sorted[Math.floor(middle)] ?? NaN;
  const high = sorted[Math.ceil(middle)] ?? NaN;
  return (low + high) / 2;
}

export function round(value: number): number {
  return Math.round(value * 100) / 100;
}
