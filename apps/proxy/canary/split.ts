import type { Ratio } from "../../../lib/telemetry/split-ratio.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";
import { createBlockRandom } from "./block-random.js";

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

/** What all threads deal from. */
export interface Deck {
  /** Picks made so far by all of them. 64 bits: at a million a second it is full after 292,000 years. */
  picks: BigInt64Array;
  /** Two random words. */
  seed: Uint32Array;
}

/**
 * The split of createSplit, exact over the picks of all threads together: they count them in one place, and each works out
 * for itself, from the seed, how the block is dealt that a pick falls in.
 */
export function createSharedSplit(ratio: Ratio, deck: Deck): () => Side {
  const blockLength = ratio.prod + ratio.canary;
  let first = 0;
  let dealt: readonly Side[] = [];
  return () => {
    const pick = Number(Atomics.add(deck.picks, 0, 1n));
    if (pick < first || pick >= first + dealt.length) {
      const block = Math.floor(pick / blockLength);
      first = block * blockLength;
      dealt = dealBlock(ratio, deck.seed, block);
    }
    return dealt[pick - first] ?? "prod";
  };
}

function dealBlock(ratio: Ratio, seed: Uint32Array, block: number): Side[] {
  const split = createSplit(ratio, createBlockRandom(seed, block));
  const dealt: Side[] = [];
  for (let left = ratio.prod + ratio.canary; left > 0; left--)
    dealt.push(split());
  return dealt;
}
