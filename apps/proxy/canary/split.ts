import type { Ratio } from "../../../lib/telemetry/split-ratio.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";
import { createBlockRandom } from "./block-random.js";

/**
 * Permuted blocks: each block of prod + canary consecutive picks holds exactly the canary's share, at random places. The
 * share is exact over any run of blocks. Unlike with a strict rotation, periodic traffic still reaches the canary with every
 * kind of request.
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

/** The state from which all threads deal. */
export interface Deck {
  /** Picks made so far by all threads. At a million a second, 64 bits last for 292,000 years. */
  picks: BigInt64Array;
  /** Two random words. */
  seed: Uint32Array;
}

/**
 * Like createSplit, but exact over the picks of all threads together. The threads share one counter of picks, and each
 * derives the order of a pick's block from the seed.
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
  return Array.from({ length: ratio.prod + ratio.canary }, split);
}
