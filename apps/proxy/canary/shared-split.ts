import type { Side } from "../../../lib/telemetry/telemetry.js";
import { createBlockRandom } from "./block-random.js";
import { createSplit, type Ratio } from "./split.js";

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
  let block = -1;
  let dealt: readonly Side[] = [];
  return () => {
    const pick = Number(Atomics.add(deck.picks, 0, 1n));
    const place = pick % blockLength;
    const current = (pick - place) / blockLength;
    if (current !== block) {
      block = current;
      dealt = dealBlock(ratio, deck.seed, block);
    }
    return dealt[place] ?? "prod";
  };
}

function dealBlock(ratio: Ratio, seed: Uint32Array, block: number): Side[] {
  const split = createSplit(ratio, createBlockRandom(seed, block));
  return Array.from({ length: ratio.prod + ratio.canary }, split);
}
