import type { Side } from "../../../lib/telemetry/telemetry.js";

/** Requests of each side in one block; at least one side has some. */
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

/**
 * Permuted blocks: each block of prod + canary consecutive picks holds exactly the canary's share, at a random place.
 * Exact over any run of blocks, and traffic that repeats in the block's length still meets the canary with every kind
 * of request, which a strict rotation would not.
 *
 * Draws each place by selection sampling (Knuth, TAOCP vol. 2, 3.4.2, algorithm S).
 *
 * @param random uniform in [0, 1)
 */
export function createSplit(ratio: Ratio, random: () => number): () => Side {
  const blockLength = ratio.prod + ratio.canary;
  let left = blockLength;
  let canaryLeft = ratio.canary;
  return () => {
    if (left === 0) {
      left = blockLength;
      canaryLeft = ratio.canary;
    }
    const isCanary = random() * left < canaryLeft;
    left -= 1;
    if (isCanary) canaryLeft -= 1;
    return isCanary ? "canary" : "prod";
  };
}
