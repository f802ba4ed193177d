import type { Side } from "../../../lib/telemetry/telemetry.js";
import {
  addOutcome,
  countFailures,
  countOutcomes,
  failuresInARow,
} from "./outcome-history.js";

const IN_A_ROW = 5;
const IN_HISTORY = 10;
/** What prod fails at least half as often as the canary is nothing of the canary's own. */
const PROD_SHARE = 0.5;

/** Odd while tripped; it only ever grows, so that nothing known before a reset can trip what was reset. */
const STATE = 0;
const HISTORY: Readonly<Record<Side, number>> = { prod: 1, canary: 2 };
/** The cells that a breaker needs. */
export const BREAKER_CELLS = 3;

/** Why a breaker tripped. */
export interface Trip {
  /** A sentence for people. */
  reason: string;
  /** The canary's failures among its last requests, and prod's among its own at that moment. */
  failures: number;
  requests: number;
  prodFailures: number;
  prodRequests: number;
}

/**
 * Takes a failing canary out at once, without waiting for a monitor: after five failures in a row, or ten among the last
 * twenty, unless prod fails about as often. States: closed → (trip) tripped → (reset) closed. A tripped breaker stays so,
 * whatever else it is told, until it is reset: it never lets the canary back in by itself.
 *
 * A failure is a response of 5xx, or none: no connection, none in time, a broken one. One that breaks off when it has begun
 * is both, what it began as and a failure.
 */
export class Breaker {
  readonly #cells: Int32Array;
  #trip: Trip | undefined;

  /** @param cells zeros; breakers in several threads over the same shared memory are one */
  constructor(cells: Int32Array = new Int32Array(BREAKER_CELLS)) {
    this.#cells = cells;
  }

  /** Whichever thread's outcome tripped it. */
  get isTripped(): boolean {
    return isOdd(this.era);
  }

  /** Undefined while closed, and in a thread that was not told. */
  get trip(): Trip | undefined {
    return this.isTripped ? this.#trip : undefined;
  }

  /** Another after each trip and each reset. */
  get era(): number {
    return Atomics.load(this.#cells, STATE);
  }

  /**
   * @param era that in which the request began: of the canary, only what it has done since the last reset counts
   * @returns the trip, if this outcome is the one that trips it
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
   * What another thread's outcome tripped it for. The word of it may come after a reset.
   *
   * @param era that of the trip
   * @returns whether it is tripped by it still
   */
  learn(trip: Trip, era: number): boolean {
    if (era !== this.era || !isOdd(era)) return false;
    this.#trip = trip;
    return true;
  }

  /** Somebody lets the canary in again: it starts with a clean record. */
  reset(): void {
    Atomics.store(this.#cells, HISTORY.canary, 0);
    const state = Atomics.load(this.#cells, STATE);
    Atomics.add(this.#cells, STATE, isOdd(state) ? 1 : 2);
    this.#trip = undefined;
  }

  /** @returns the history with it */
  #add(cell: number, failed: boolean): number {
    for (;;) {
      const before = Atomics.load(this.#cells, cell);
      const after = addOutcome(before, failed);
      if (Atomics.compareExchange(this.#cells, cell, before, after) === before)
        return after;
    }
  }
}

/** @returns why these two histories take the canary out, if they do */
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
