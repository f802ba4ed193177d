/** Requests of each side in one block of the split; at least one side has some. */
export interface Ratio {
  prod: number;
  canary: number;
}

/** Reads `3:1` (prod:canary), each part a whole number up to 1000 and not both 0; undefined for anything else. */
export function parseRatio(text: string): Ratio | undefined {
  const [, prod, canary] = (/^(\d{1,4}):(\d{1,4})$/.exec(text) ?? []).map(
    Number,
  );
  if (prod === undefined || canary === undefined) return undefined;
  return prod + canary > 0 && prod <= 1000 && canary <= 1000
    ? { prod, canary }
    : undefined;
}

/** The canary's share of 1 in a split such as `3:1`; undefined when there is none, or none that can be read. */
export function readShare(
  split: string | null | undefined,
): number | undefined {
  const ratio = parseRatio(split ?? "");
  return ratio && ratio.canary / (ratio.prod + ratio.canary);
}
