import { SIDES, type Side } from "../../../lib/telemetry/telemetry.js";

const SLOT_MS = 100;
const SLOTS = 600;
/** Answers are counted by duration: below 250 ms, then an octave each. The last class has no upper end. */
const FIRST_CLASS_MS = 250;
const CLASSES = 9;

/** The cells of a slot: which tenth of a second it holds, and the figures of each side. */
const TICK = 0;
const BEGUN = 0;
const FAILED = 1;
const FAILED_MS = 2;
const LEFT = 3;
const ANSWERED = 4;
const SIDE_CELLS = ANSWERED + CLASSES;
const SLOT_CELLS = 1 + SIDES.length * SIDE_CELLS;
/** The number of cells that a record needs. */
export const RECENT_CELLS = SLOTS * SLOT_CELLS;

/** One side's requests that began within some time. */
export interface Cohort {
  requests: number;
  failures: number;
  /** Mean duration of the failures. */
  failedAfterMs: number;
  /** The failures that are clients who gave up. */
  abandoned: number;
  /** Those without an outcome. */
  waiting: number;
  /** Those answered after `lateMs` or later. */
  late: number;
}

/**
 * The requests of the last minute by the tenth of a second in which they began. One thread writes a record, and the main
 * thread reads it at the same time: a figure may be one request behind.
 */
export class RecentRequests {
  readonly #cells: Int32Array;
  readonly #clockOffsetMs: number;

  /** @param clockOffsetMs from this thread's monotonic clock to the one that all threads share */
  constructor(cells: Int32Array, clockOffsetMs: number) {
    this.#cells = cells;
    this.#clockOffsetMs = clockOffsetMs;
  }

  /** @param now monotonic ms, here and below */
  begin(side: Side, now: number): void {
    const tick = this.#tickOf(now);
    const slot = slotOf(tick);
    if (this.#cells[slot + TICK] !== tick) {
      this.#cells.fill(0, slot, slot + SLOT_CELLS);
      this.#cells[slot + TICK] = tick;
    }
    this.#add(slot, side, BEGUN, 1);
  }

  end(
    request: { side: Side; startedAt: number },
    outcome: { failed: boolean; abandoned?: boolean },
    now: number,
  ): void {
    const { side, startedAt } = request;
    const slot = this.#find(startedAt);
    if (slot === undefined) return;
    const lastedMs = Math.max(0, now - startedAt);
    if (outcome.failed) {
      this.#add(slot, side, FAILED, 1);
      this.#add(slot, side, FAILED_MS, Math.round(lastedMs));
      if (outcome.abandoned === true) this.#add(slot, side, LEFT, 1);
    } else this.#add(slot, side, ANSWERED + classOf(lastedMs), 1);
  }

  /** A response broke off, which counts as one more request, a failed one. */
  cut(request: { side: Side; startedAt: number }): void {
    const slot = this.#find(request.startedAt);
    if (slot === undefined) return;
    this.#add(slot, request.side, BEGUN, 1);
    this.#add(slot, request.side, FAILED, 1);
  }

  #tickOf(now: number): number {
    return Math.floor((now + this.#clockOffsetMs) / SLOT_MS);
  }

  /** Undefined for a request that began more than a minute ago. */
  #find(startedAt: number): number | undefined {
    const tick = this.#tickOf(startedAt);
    const slot = slotOf(tick);
    return this.#cells[slot + TICK] === tick ? slot : undefined;
  }

  #add(slot: number, side: Side, figure: number, count: number): void {
    const cell = cellOf(slot, side) + figure;
    this.#cells[cell] = (this.#cells[cell] ?? 0) + count;
  }
}

/** The records of all threads, read as one. Times are on the clock that all threads share. */
export class RecentSum {
  readonly #records = new Set<Int32Array>();

  add(cells: Int32Array): void {
    this.#records.add(cells);
  }

  /** The thread has ended, and with it all of its requests. */
  remove(cells: Int32Array): void {
    this.#records.delete(cells);
  }

  /** Those that began from `since` to `until`, or at any time of the last minute before `until`. */
  read(
    side: Side,
    when: { since?: number; until: number; lateMs?: number },
  ): Cohort {
    const last = Math.floor(when.until / SLOT_MS);
    const oldest = last - SLOTS + 1;
    const first = Math.max(
      oldest,
      Math.floor((when.since ?? -Infinity) / SLOT_MS),
    );
    const lateClass = classOf(when.lateMs ?? 0);
    const sum = { requests: 0, failures: 0, abandoned: 0, late: 0 };
    let [failedMs, answered] = [0, 0];
    for (let tick = first; tick <= last; tick++)
      for (const cell of this.#cellsAt(tick, side)) {
        sum.requests += cell(BEGUN);
        sum.failures += cell(FAILED);
        sum.abandoned += cell(LEFT);
        failedMs += cell(FAILED_MS);
        for (let i = 0; i < CLASSES; i++) {
          answered += cell(ANSWERED + i);
          if (i >= lateClass) sum.late += cell(ANSWERED + i);
        }
      }
    const { requests, failures } = sum;
    return {
      ...sum,
      failedAfterMs: failures === 0 ? 0 : failedMs / failures,
      waiting: Math.max(0, requests - failures - answered),
    };
  }

  /** When the oldest of the side's last `count` failures began; a minute before `now` if it has fewer. */
  beginOfLastFailures(side: Side, count: number, now: number): number {
    const last = Math.floor(now / SLOT_MS);
    let [tick, found] = [last, 0];
    for (; tick > last - SLOTS; tick--) {
      for (const cell of this.#cellsAt(tick, side)) found += cell(FAILED);
      if (found >= count) break;
    }
    return tick * SLOT_MS;
  }

  *#cellsAt(tick: number, side: Side): Iterable<(figure: number) => number> {
    const slot = slotOf(tick);
    for (const cells of this.#records)
      if (cells[slot + TICK] === tick)
        yield (figure) => cells[cellOf(slot, side) + figure] ?? 0;
  }
}

function slotOf(tick: number): number {
  return (tick % SLOTS) * SLOT_CELLS;
}

function cellOf(slot: number, side: Side): number {
  return slot + 1 + (side === "canary" ? SIDE_CELLS : 0);
}

function classOf(lastedMs: number): number {
  const octaves = Math.floor(Math.log2(lastedMs / FIRST_CLASS_MS));
  return Math.min(CLASSES - 1, Math.max(0, octaves + 1));
}
