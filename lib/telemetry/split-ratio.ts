export const CANARY_SHARE_HELP =
  "The canary's share of the requests: as the split says (configured), or as answered within the monitor's window (actual).";

/** The requests of each side in a block of the split. At least one is above 0. */
export interface Ratio {
  prod: number;
  canary: number;
}

/** Parses `3:1` (prod:canary): whole numbers up to 1000, not both 0. Undefined for other texts. */
export function parseRatio(text: string): Ratio | undefined {
  const [, prod, canary] = (/^(\d{1,4}):(\d{1,4})$/.exec(text) ?? []).map(
    Number,
  );
  if (prod === undefined || canary === undefined) return undefined;
  return prod + canary > 0 && prod <= 1000 && canary <= 1000
    ? { prod, canary }
    : undefined;
}

/** The same share in the smallest whole numbers: 1:1 of 50:50. */
export function reduceRatio({ prod, canary }: Ratio): Ratio {
  let [divisor, rest] = [prod, canary];
  while (rest > 0) [divisor, rest] = [rest, divisor % rest];
  return { prod: prod / divisor, canary: canary / divisor };
}

/** The canary's share, from 0 to 1, in a split such as `3:1`. Undefined if the split is absent or malformed. */
export function readShare(
  split: string | null | undefined,
): number | undefined {
  const ratio = parseRatio(split ?? "");
  return ratio && ratio.canary / (ratio.prod + ratio.canary);
}
