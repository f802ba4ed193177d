import { onCleanup } from "./cleanup.js";

const TICK_MS = 10;
/** What a busy process's timers may be late without anybody having kept it from running. */
const LATE_MS = 50;

/**
 * Time since it was made, and how much of that this process was kept from running. A machine that stalls keeps whoever is
 * tested from running as well: an upper bound counts the rest. To be stopped.
 */
export class Stopwatch {
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout;
  #tickedAt = performance.now();
  #stalledMs = 0;

  constructor() {
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  /** How long it was kept from running, all in all. */
  get stalledMs(): number {
    this.#tick();
    return this.#stalledMs;
  }

  /** How long it could have run. */
  get ranMs(): number {
    const { stalledMs } = this;
    return performance.now() - this.#startedAt - stalledMs;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const now = performance.now();
    const lateMs = now - this.#tickedAt - TICK_MS;
    if (lateMs > LATE_MS) this.#stalledMs += lateMs;
    this.#tickedAt = now;
  }
}

/** One that is stopped at the end of the test. */
export function startStopwatch(): Stopwatch {
  const watch = new Stopwatch();
  onCleanup(() => watch.stop());
  return watch;
}
