import { readStatus, type RunningEngine } from "./stage.js";

const CANARY_SHARE = 1 / 4;

export interface SplitFigures {
  requests: number;
  readings: number;
  /** The largest deviation of the canary's requests from its share. */
  maxDeviation: number;
}

/** Measures the error of an engine's split. */
export class SplitWatch {
  readonly #engine: RunningEngine;
  #requests = 0;
  #readings = 0;
  #maxDeviation = 0;

  constructor(engine: RunningEngine) {
    this.#engine = engine;
  }

  get name(): string {
    return this.#engine.product.name;
  }

  get figures(): SplitFigures {
    return {
      requests: this.#requests,
      readings: this.#readings,
      maxDeviation: this.#maxDeviation,
    };
  }

  async read(): Promise<void> {
    const { prod, canary } = (await readStatus(this.#engine)).requests;
    this.#requests = prod + canary;
    this.#readings += 1;
    const deviation = Math.abs(canary - this.#requests * CANARY_SHARE);
    this.#maxDeviation = Math.max(this.#maxDeviation, deviation);
  }
}
