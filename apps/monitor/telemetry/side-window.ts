import {
  bucketOf,
  upperEdgeMs,
  type SparseHistogram,
} from "../../../lib/telemetry/latency-histogram.js";
import { SideSum } from "../../../lib/telemetry/side-sum.js";
import type { TrafficWindow } from "../../../lib/telemetry/telemetry.js";

/** Each window reports the waiting requests again, so older reports are outdated. */
const WAITING_VALID_MS = 3000;

interface Entry {
  source: string;
  /** Redis's clock, ms since the epoch. */
  atMs: number;
  data: TrafficWindow;
}

/** The traffic windows of one side, from all proxies, over the last `windowMs` and the same time before. */
export class SideWindow {
  readonly #windowMs: number;
  readonly #entries: Entry[] = [];
  readonly #latest = new Map<
    string,
    { atMs: number; waiting: SparseHistogram }
  >();

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  add(entry: Entry): void {
    this.#entries.push(entry);
    this.#latest.set(entry.source, {
      atMs: entry.atMs,
      waiting: entry.data.waiting ?? [],
    });
    while (
      this.#entries[0] !== undefined &&
      this.#entries[0].atMs <= entry.atMs - 2 * this.#windowMs
    )
      this.#entries.shift();
  }

  /**
   * All windows that ended in the last `windowMs` and began at or after `sinceMs`, as one.
   *
   * @param now Redis's clock, ms since the epoch
   */
  figures(now: number, sinceMs = 0): SideSum {
    return this.#sum(
      ({ atMs, data }) =>
        atMs > now - this.#windowMs && atMs - (data.windowMs ?? 0) >= sinceMs,
    );
  }

  /** The windows that ended in the `windowMs` before. */
  figuresBefore(now: number): SideSum {
    const end = now - this.#windowMs;
    return this.#sum(({ atMs }) => atMs <= end && atMs > end - this.#windowMs);
  }

  #sum(isIn: (entry: Entry) => boolean): SideSum {
    const sum = new SideSum();
    for (const { data } of this.#entries.filter(isIn)) sum.add(data);
    return sum;
  }

  /**
   * Ages of the requests that arrived at or after `sinceMs` and have waited for longer than `thresholdMs`, as each proxy
   * last reported.
   */
  waitingBeyond(
    thresholdMs: number,
    now: number,
    sinceMs = 0,
  ): SparseHistogram {
    const threshold = bucketOf(thresholdMs);
    return [...this.#latest.values()]
      .filter(({ atMs }) => atMs > now - WAITING_VALID_MS)
      .flatMap(({ atMs, waiting }) =>
        waiting.filter(
          ([bucket]) =>
            bucket > threshold && atMs - upperEdgeMs(bucket) >= sinceMs,
        ),
      );
  }
}
