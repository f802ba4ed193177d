import type { Side } from "../../../lib/telemetry/telemetry.js";
import {
  addOutcome,
  countFailures,
  countOutcomes,
  failuresInARow,
} from "./outcome-history.js";

const IN_A_ROW = 5;
const IN_HISTORY = 10;
/** Errors that prod shows at half the canary's rate or more are not attributed to the canary. */
const PROD_SHARE = 0.5;

/** Odd while tripped. It only grows, so that an outcome from before a reset cannot trip the breaker after it. */
const STATE = 0;
const HISTORY: Readonly<Record<Side, number>> = { prod: 1, canary: 2 };
/** The number of cells that a breaker needs. */
export const BREAKER_CELLS = 3;

/** Why a breaker tripped. */
export interface Trip {
  /** A sentence for humans. */
  reason: string;
  /** Failures among the last requests of the canary and, below, of prod at that moment. */
  failures: number;
  requests: number;
  prodFailures: number;
  prodRequests: number;
}

/**
 * Closes a failing canary at once, without waiting for a monitor: after five failures in a row or ten among the last
 * twenty, unless prod fails about as often. States: closed → (trip) tripped → (reset) closed. Only a reset leaves the
 * tripped state: by CanaryStop when prod failed alike, or when the flag is set to true.
 *
 * A failure is a 5xx response, a missing one (no connection, timeout, a client that gave up) or an invalid one. A response that
 * breaks off counts twice: by its status and as a failure.
 */
export class Breaker {
  readonly #cells: Int32Array;
  #trip: Trip | undefined;

  /** @param cells zeros; breakers of several threads over the same shared memory act as one */
  constructor(cells: Int32Array = new Int32Array(BREAKER_CELLS)) {
    this.#cells = cells;
  }

  /** True in every thread, whichever thread's outcome tripped it. */
  get isTripped(): boolean {
    return isOdd(this.era);
  }

  /** Undefined while closed, and in threads that did not learn of the trip. */
  get trip(): Trip | undefined {
    return this.isTripped ? this.#trip : undefined;
  }

  /** Changes with each trip and each reset. */
  get era(): number {
    return Atomics.load(this.#cells, STATE);
  }

  /**
   * @param era that in which the request began: the canary's requests from before the last reset do not count
   * @returns the trip, if this outcome trips the breaker
   */
  record(side: Side, failed: boolean, era = this.era): Trip | undefined {
    const state = Atomics.load(this.#cells, STATE);
    if (isOdd(state)) return undefined;
    if (side === "canary" && era !== state) return undefined;
    const history = this.#add(HISTORY[side], failed);
    if (side !== "canary" || !failed) return undefined;
    const prod = Atomics.load(this.#cells, HISTORY.prod);
    const trip = judgeOutcomes(history, prod);
    if (trip === undefined) return undefined;
    const seen = Atomics.compareExchange(this.#cells, STATE, state, state + 1);
    if (seen !== state) return undefined;
    this.#trip = trip;
    return trip;
  }

  /**
   * Takes the trip that another thread reports. The report may arrive after a reset.
   *
   * @param era that of the trip
   * @returns whether the breaker is still in that trip
   */
  learn(trip: Trip, era: number): boolean {
    if (era !== this.era || !isOdd(era)) return false;
    this.#trip = trip;
    return true;
  }

  /** The canary was opened again: it starts with an empty history. */
  reset(): void {
    Atomics.store(this.#cells, HISTORY.canary, 0);
    const state = Atomics.load(this.#cells, STATE);
    Atomics.add(this.#cells, STATE, isOdd(state) ? 1 : 2);
    this.#trip = undefined;
  }

  /** @returns the history that includes the outcome */
  #add(cell: number, failed: boolean): number {
    for (;;) {
      const before = Atomics.load(this.#cells, cell);
      const after = addOutcome(before, failed);
      if (Atomics.compareExchange(this.#cells, cell, before, after) === before)
        return after;
    }
  }
}

/** @returns the trip that these two histories cause, if any */
function judgeOutcomes(canary: number, prod: number): Trip | undefined {
  const inARow = failuresInARow(canary);
  const isRow = inARow >= IN_A_ROW;
  const failures = isRow ? inARow : countFailures(canary);
  const requests = isRow ? inARow : countOutcomes(canary);
  if (!isRow && failures < IN_HISTORY) return undefined;
  const prodFailures = countFailures(prod);
  const prodRequests = countOutcomes(prod);
  const isProdAsBad =
    prodRequests > 0 &&
    prodFailures / prodRequests >= (failures / requests) * PROD_SHARE;
  if (isProdAsBad) return undefined;
  const what = isRow
    ? `the canary failed ${inARow} requests in a row`
    : `the canary failed ${failures} of its last ${requests} requests`;
  return {
    reason: `${what}, prod ${prodFailures} of ${prodRequests}`,
    failures,
    requests,
    prodFailures,
    prodRequests,
  };
}

function isOdd(state: number): boolean {
  return (state & 1) === 1;
}
