import { randomFillSync } from "node:crypto";
import { MAX_PICKS } from "../../../lib/telemetry/decks.js";
import { reduceRatio, type Ratio } from "../../../lib/telemetry/split-ratio.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";

/**
 * Permuted blocks: each block of prod + canary consecutive picks holds exactly the canary's share, at random places. The
 * share is exact over any run of blocks. Unlike with a strict rotation, periodic traffic still reaches the canary with every
 * kind of request. Each thread deals blocks of its own, whole.
 *
 * A block of more than 100 picks is dealt as several decks. Each deck's own ratio is fixed before its first pick: the
 * canary's picks are spread evenly over the decks, from a random offset (systematic sampling).
 *
 * Draws each place by selection sampling (Knuth, TAOCP vol. 2, 3.4.2, algorithm S).
 */
export class Split {
  /** Of a block, in lowest terms. */
  readonly ratio: Ratio;
  readonly #random: () => number;
  readonly #decks: number;
  /** The decks of this block that were begun. */
  #begun = 0;
  #offset = 0;
  #deck: Ratio;
  #left = 0;
  #canaryLeft = 0;

  /** @param random uniform in [0, 1) */
  constructor(ratio: Ratio, random: () => number = createRandom()) {
    this.ratio = reduceRatio(ratio);
    this.#random = random;
    this.#decks = Math.ceil(sizeOf(this.ratio) / MAX_PICKS);
    this.#deck = this.#beginDeck();
  }

  /** Of the next pick's deck. */
  get deck(): Ratio {
    return this.#deck;
  }

  /** Whether the next pick is the first of a deck. */
  get isAtStart(): boolean {
    return this.#left === sizeOf(this.#deck);
  }

  pick(): Side {
    const isCanary = this.#random() * this.#left < this.#canaryLeft;
    this.#left -= 1;
    if (isCanary) this.#canaryLeft -= 1;
    if (this.#left === 0) this.#deck = this.#beginDeck();
    return isCanary ? "canary" : "prod";
  }

  #beginDeck(): Ratio {
    const deck = this.#decks === 1 ? this.ratio : this.#drawDeck();
    this.#left = sizeOf(deck);
    this.#canaryLeft = deck.canary;
    return deck;
  }

  #drawDeck(): Ratio {
    const size = sizeOf(this.ratio);
    if (this.#begun === 0) this.#offset = Math.floor(this.#random() * size);
    const before = this.#countAt(this.#begun, size);
    const after = this.#countAt(this.#begun + 1, size);
    this.#begun = (this.#begun + 1) % this.#decks;
    const canary = after.canary - before.canary;
    return { prod: after.picks - before.picks - canary, canary };
  }

  /** The picks of a block's first decks, and the canary's among them. */
  #countAt(decks: number, size: number): { picks: number; canary: number } {
    const picks = Math.floor((decks * size) / this.#decks);
    const exact = picks * this.ratio.canary + this.#offset;
    return { picks, canary: Math.floor(exact / size) };
  }
}

function sizeOf({ prod, canary }: Ratio): number {
  return prod + canary;
}

/** Numbers from the system's source, which nobody can foresee. */
export function createRandom(): () => number {
  const drawn = new Uint32Array(256);
  let next = drawn.length;
  return () => {
    if (next === drawn.length) {
      randomFillSync(drawn);
      next = 0;
    }
    return (drawn[next++] ?? 0) / 2 ** 32;
  };
}
