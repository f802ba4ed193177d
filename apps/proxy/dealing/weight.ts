import {
  ratioOfWeight,
  type Ratio,
} from "../../../lib/telemetry/split-ratio.js";

/** Hundredths of a percent of the requests, or SPLIT_HOLDS. */
export type Weight = number;

/** No rollout gives a weight: SPLIT holds. */
export const SPLIT_HOLDS: Weight = -1;

/** The number of cells that a shared weight needs. */
export const WEIGHT_CELLS = 2;
const IS_OUTDATED = 1;

/**
 * The canary's weight in memory that all threads share. It is written before the gate opens. While a weight that was written is
 * being read, nothing is dealt; clients that were dealt before keep their side.
 */
export class SharedWeight {
  readonly #cells: Int32Array;

  /** @param cells SPLIT_HOLDS and 0 before the first reading */
  constructor(cells: Int32Array) {
    this.#cells = cells;
  }

  /** The last one that was read. */
  read(): Weight {
    return Atomics.load(this.#cells, 0);
  }

  get isOutdated(): boolean {
    return Atomics.load(this.#cells, IS_OUTDATED) === 1;
  }

  /** @param percent null while no rollout gives a weight */
  publish(percent: number | null, isOutdated: boolean): void {
    const weight = percent === null ? SPLIT_HOLDS : Math.round(percent * 100);
    Atomics.store(this.#cells, 0, weight);
    Atomics.store(this.#cells, IS_OUTDATED, Number(isOutdated));
  }
}

/** What a window, or the status, tells of the weight: the ratio dealt as `prod:canary`, and the canary's percent of it. */
export function describeWeight(
  weight: Weight,
  split: Ratio,
): { split: string; weight: number } {
  const { prod, canary } = ratioDealt(weight, split);
  const percent = Math.round((canary / (prod + canary)) * 10_000) / 100;
  return { split: `${prod}:${canary}`, weight: percent };
}

/** The ratio in which requests are dealt. */
export function ratioDealt(weight: Weight, split: Ratio): Ratio {
  return weight === SPLIT_HOLDS ? split : ratioOfWeight(weight / 100);
}
