export const CANARY_SHARE_HELP =
  "The canary's share of the requests: as the rollout's weight or, without one, the split says (configured), or as answered within the monitor's window (actual).";

/** The longest block: that of a weight of 0.01 %. */
const MAX_BLOCK = 10_000;

/** The requests of each side in a block of the split. At least one is above 0. */
export interface Ratio {
  prod: number;
  canary: number;
}

/** Parses `3:1` (prod:canary): whole numbers up to `most`, not both 0. Undefined for other texts. */
export function parseRatio(text: string, most = 1000): Ratio | undefined {
  const [, prod, canary] = (/^(\d{1,5}):(\d{1,5})$/.exec(text) ?? []).map(
    Number,
  );
  if (prod === undefined || canary === undefined) return undefined;
  return prod + canary > 0 && prod <= most && canary <= most
    ? { prod, canary }
    : undefined;
}

/** Parses a weight, `7.5`: percent from 0 to 100 with at most two decimals. Undefined for other texts. */
export function parseWeight(text: string): number | undefined {
  const weight = Number(text);
  return /^\d{1,3}(\.\d{1,2})?$/.test(text) && weight <= 100
    ? weight
    : undefined;
}

/** The block that is exact for a weight: 37:3 for 7.5 %. @param weight percent with at most two decimals */
export function ratioOfWeight(weight: number): Ratio {
  const canary = Math.round(weight * 100);
  return reduceRatio({ prod: MAX_BLOCK - canary, canary });
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
  const ratio = parseRatio(split ?? "", MAX_BLOCK);
  return ratio && ratio.canary / (ratio.prod + ratio.canary);
}
