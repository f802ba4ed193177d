import type { Side } from "../../lib/telemetry.js";

const IN_A_ROW = 5;
/** Of each side the last so many outcomes are known. */
const WINDOW = 20;
const IN_WINDOW = 10;
/** What prod fails at least half as often as the canary is nothing of the canary's own. */
const PROD_SHARE = 0.5;

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
 * A failure is a response of 5xx, or none: no connection, none in time, a broken one.
 */
export class Breaker {
  readonly #outcomes: Record<Side, Outcomes> = {
    prod: new Outcomes(),
    canary: new Outcomes(),
  };
  #inARow = 0;
  #trip: Trip | undefined;

  /** Undefined while closed. */
  get trip(): Trip | undefined {
    return this.#trip;
  }

  /** @returns the trip, if this outcome is the one that trips it */
  record(side: Side, failed: boolean): Trip | undefined {
    if (this.#trip !== undefined) return undefined;
    this.#outcomes[side].add(failed);
    if (side !== "canary") return undefined;
    this.#inARow = failed ? this.#inARow + 1 : 0;
    if (failed) this.#trip = this.#judge();
    return this.#trip;
  }

  /** Somebody lets the canary in again: it starts with a clean record. */
  reset(): void {
    this.#outcomes.canary = new Outcomes();
    this.#inARow = 0;
    this.#trip = undefined;
  }

  #judge(): Trip | undefined {
    const { canary, prod } = this.#outcomes;
    const isRow = this.#inARow >= IN_A_ROW;
    if (!isRow && canary.failures < IN_WINDOW) return undefined;
    const ratio = isRow ? 1 : canary.failures / canary.requests;
    if (prod.failureRatio >= ratio * PROD_SHARE) return undefined;
    const what = isRow
      ? `the canary failed ${this.#inARow} requests in a row`
      : `the canary failed ${canary.failures} of its last ${canary.requests} requests`;
    return {
      reason: `${what}, prod ${prod.failures} of ${prod.requests}`,
      failures: isRow ? this.#inARow : canary.failures,
      requests: isRow ? this.#inARow : canary.requests,
      prodFailures: prod.failures,
      prodRequests: prod.requests,
    };
  }
}

/** The last outcomes of one side. */
class Outcomes {
  /** Oldest first. */
  readonly #failed: boolean[] = [];
  #failures = 0;

  get requests(): number {
    return this.#failed.length;
  }

  get failures(): number {
    return this.#failures;
  }

  get failureRatio(): number {
    return this.requests === 0 ? 0 : this.#failures / this.requests;
  }

  add(failed: boolean): void {
    this.#failed.push(failed);
    if (failed) this.#failures += 1;
    if (this.#failed.length > WINDOW && this.#failed.shift() === true)
      this.#failures -= 1;
  }
}
