import {
  ratioOfWeight,
  type Ratio,
} from "../../../lib/telemetry/split-ratio.js";

/** Hundredths of a percent of the requests, or SPLIT_HOLDS. */
export type Weight = number;

/** No rollout gives a weight: SPLIT holds. */
export const SPLIT_HOLDS: Weight = -1;

/** The canary's weight in memory that all threads share. It is written before the gate opens. */
export class SharedWeight {
  readonly #cell: Int32Array;

  /** @param cell SPLIT_HOLDS before the first reading */
  constructor(cell: Int32Array) {
    this.#cell = cell;
  }

  read(): Weight {
    return Atomics.load(this.#cell, 0);
  }

  /** @param percent null while no rollout gives a weight */
  publish(percent: number | null): void {
    const weight = percent === null ? SPLIT_HOLDS : Math.round(percent * 100);
    Atomics.store(this.#cell, 0, weight);
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
