/** Of a figure over several measurements, each rounded to hundredths. */
export interface Range {
  min: number;
  median: number;
  max: number;
  rounds: number;
}

/** Null without values. */
export function rangeOf(values: readonly number[]): Range | null {
  const sorted = values.toSorted((a, b) => a - b);
  const [min] = sorted;
  const max = sorted.at(-1);
  if (min === undefined || max === undefined) return null;
  return {
    min: round(min),
    median: round(medianOf(sorted)),
    max: round(max),
    rounds: sorted.length,
  };
}

/** NaN without values. */
export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const low = sorted[Math.floor(middle)] ?? NaN;
  const high = sorted[Math.ceil(middle)] ?? NaN;
  return (low + high) / 2;
}

export function round(value: number): number {
  return Math.round(value * 100) / 100;
}
