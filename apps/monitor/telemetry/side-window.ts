import {
  bucketOf,
  LatencyHistogram,
  upperEdgeMs,
  type SparseHistogram,
} from "../../../lib/telemetry/latency-histogram.js";
import { SideSum } from "../../../lib/telemetry/side-sum.js";
import type { TrafficWindow } from "../../../lib/telemetry/telemetry.js";

/** Each window reports the waiting requests again, so older reports are outdated. */
const WAITING_VALID_MS = 3000;
/** With few requests, the last ones count for this long. */
const LONGEST_MS = 600_000;

interface Entry {
  source: string;
  /** Redis's clock, ms since the epoch. */
  atMs: number;
  data: TrafficWindow;
}

/** Selects requests of a window. */
type Part = (data: TrafficWindow) => readonly SparseHistogram[];

/** The traffic windows of one side, from all proxies, over the last `windowMs` and the same time before. */
export class SideWindow {
  readonly #windowMs: number;
  readonly #minRequests: number;
  /** Those with requests. */
  readonly #entries: Entry[] = [];
  readonly #latest = new Map<string, Entry>();
  #requests = 0;

  /** @param minRequests as many of the last requests are kept for ten minutes */
  constructor(windowMs: number, minRequests = 0) {
    this.#windowMs = windowMs;
    this.#minRequests = minRequests;
  }

  add(entry: Entry): void {
    const { source, atMs, data } = entry;
    this.#latest.set(source, entry);
    if (data.requests > 0) this.#entries.push(entry);
    this.#requests += data.requests;
    for (;;) {
      const [oldest] = this.#entries;
      if (oldest === undefined || atMs - oldest.atMs < 2 * this.#windowMs)
        return;
      const rest = this.#requests - oldest.data.requests;
      if (rest < this.#minRequests && atMs - oldest.atMs < LONGEST_MS) return;
      this.#entries.shift();
      this.#requests = rest;
    }
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

  /** The same as `figures`, by instance. */
  figuresByInstance(now: number): Map<string, SideSum> {
    const sums = new Map<string, SideSum>();
    for (const { atMs, data } of this.#entries) {
      if (atMs <= now - this.#windowMs) continue;
      for (const [name, instance] of Object.entries(data.instances ?? {})) {
        const sum = sums.get(name) ?? new SideSum();
        sum.add(instance);
        sums.set(name, sum);
      }
    }
    return sums;
  }

  #sum(isIn: (entry: Entry) => boolean): SideSum {
    const sum = new SideSum();
    for (const { data } of this.#entries.filter(isIn)) sum.add(data);
    return sum;
  }

  /**
   * The requests answered in the last `windowMs`, or the last `minRequests` where these are fewer, none from before
   * `sinceMs`; with the time that they cover.
   */
  lastAnswered(
    now: number,
    sinceMs: number,
    answered: Part = ({ latency }) => [latency],
  ): { latency: LatencyHistogram; spanMs: number } {
    const latency = new LatencyHistogram();
    let start = now - this.#windowMs;
    for (const { atMs, data } of this.#entries.toReversed()) {
      const beganMs = atMs - (data.windowMs ?? 0);
      const isOlder = atMs <= now - this.#windowMs;
      if (atMs <= Math.max(sinceMs, now - LONGEST_MS)) break;
      if (beganMs < sinceMs) continue;
      if (isOlder && latency.total >= this.#minRequests) break;
      for (const part of answered(data)) latency.merge(part);
      if (isOlder) start = beganMs;
    }
    return { latency, spanMs: now - start };
  }

  /**
   * Ages of the requests that arrived at or after `sinceMs` and have waited for longer than `thresholdMs`, as each proxy
   * last reported.
   */
  waitingBeyond(
    thresholdMs: number,
    now: number,
    sinceMs = 0,
    part: Part = ({ waiting = [] }) => [waiting],
  ): SparseHistogram {
    const threshold = bucketOf(thresholdMs);
    return [...this.#latest.values()]
      .filter(({ atMs }) => atMs > now - WAITING_VALID_MS)
      .flatMap(({ atMs, data }) =>
        part(data)
          .flat()
          .filter(
            ([bucket]) =>
              bucket > threshold && atMs - upperEdgeMs(bucket) >= sinceMs,
          ),
      );
  }
}
