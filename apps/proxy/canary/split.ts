import { createHash } from "node:crypto";
import type { Ratio } from "../../../lib/telemetry/split-ratio.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";

/** Blocks are dealt together up to about this many picks: one hash serves them all. */
const PICKS_AT_ONCE = 256;

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
 * derives the order of a pick's block from the seed and the pick's number.
 */
export function createSharedSplit(ratio: Ratio, deck: Deck): () => Side {
  const blockLength = ratio.prod + ratio.canary;
  const length = blockLength * Math.ceil(PICKS_AT_ONCE / blockLength);
  let first = 0;
  let dealt: readonly Side[] = [];
  return () => {
    const pick = Number(Atomics.add(deck.picks, 0, 1n));
    if (pick < first || pick >= first + dealt.length) {
      first = pick - (pick % length);
      const split = createSplit(ratio, createRandom(deck.seed, first, length));
      dealt = Array.from({ length }, split);
    }
    return dealt[pick - first] ?? "prod";
  };
}

/** `count` numbers, uniform in [0, 1). Seed and place determine them, in every thread alike. */
function createRandom(
  seed: Uint32Array,
  place: number,
  count: number,
): () => number {
  const bytes = createHash("shake256", { outputLength: 4 * count })
    .update(seed)
    .update(String(place))
    .digest();
  let drawn = 0;
  return () => bytes.readUInt32LE(4 * drawn++) / 2 ** 32;
}
