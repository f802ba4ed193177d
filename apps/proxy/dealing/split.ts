import { randomFillSync } from "node:crypto";
import { reduceRatio, type Ratio } from "../../../lib/telemetry/split-ratio.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";

/**
 * Permuted blocks: each deck of prod + canary consecutive picks holds exactly the canary's share, at random places. The
 * share is exact over any run of decks. Unlike with a strict rotation, periodic traffic still reaches the canary with every
 * kind of request. Each thread deals decks of its own, whole.
 *
 * Draws each place by selection sampling (Knuth, TAOCP vol. 2, 3.4.2, algorithm S).
 */
export class Split {
  /** In lowest terms: one deck. */
  readonly ratio: Ratio;
  readonly #random: () => number;
  #left = 0;
  #canaryLeft = 0;

  /** @param random uniform in [0, 1) */
  constructor(ratio: Ratio, random: () => number = createRandom()) {
    this.ratio = reduceRatio(ratio);
    this.#random = random;
  }

  /** Whether the next pick is the first of a deck. */
  get isAtStart(): boolean {
    return this.#left === 0;
  }

  pick(): Side {
    if (this.#left === 0) {
      this.#left = this.ratio.prod + this.ratio.canary;
      this.#canaryLeft = this.ratio.canary;
    }
    const isCanary = this.#random() * this.#left < this.#canaryLeft;
    this.#left -= 1;
    if (isCanary) this.#canaryLeft -= 1;
    return isCanary ? "canary" : "prod";
  }
}

/** Numbers from the system's source, which nobody can foresee. */
function createRandom(): () => number {
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
