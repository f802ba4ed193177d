import { LatencyHistogram } from "../../../lib/telemetry/latency-histogram.js";
import { SIDES, type Side } from "../../../lib/telemetry/telemetry.js";
import {
  addToBoth,
  createBothCounts,
  WindowCounts,
  type SideCounts,
  type TrafficWindows,
} from "./window-counts.js";

/** What all threads' recorders have counted, as if it had been one. A recorder is told apart by whatever object stands for it. */
export class TrafficSum {
  readonly #window: WindowCounts;
  readonly #totals = createBothCounts();
  /** Of each recorder only the requests count that wait by its last account. */
  readonly #lastAccounts = new Map<object, TrafficWindows>();

  /** @param now monotonic ms, here and below */
  constructor(now: number) {
    this.#window = new WindowCounts(now);
  }

  /** All that was added since the start, the window that has not ended included. */
  get totals(): Readonly<Record<Side, Readonly<SideCounts>>> {
    return this.#totals;
  }

  /** @param windows what the recorder has counted since it was last asked */
  add(recorder: object, windows: TrafficWindows): void {
    this.#window.add(windows);
    addToBoth(this.#totals, windows);
    this.#lastAccounts.set(recorder, windows);
  }

  /** Nobody waits any more for what that recorder knew. */
  forget(recorder: object): void {
    this.#lastAccounts.delete(recorder);
  }

  /** What was added since the last window, which ends here. */
  takeWindow(now: number): TrafficWindows {
    const waiting = {
      prod: new LatencyHistogram(),
      canary: new LatencyHistogram(),
    };
    for (const account of this.#lastAccounts.values())
      for (const side of SIDES)
        waiting[side].merge(account[side].waiting ?? []);
    return this.#window.take(now, waiting);
  }
}
