import { findFlaw, type WindowPair } from "./window-pair.js";

/** How long a malformed window suspends the verdict. */
const SUSPENSION_MS = 10_000;
const LONGEST_GAP_MS = 600_000;
/** Windows of one proxy with the same time: those of five seconds. */
const MOST_AT_ONE_TIME = 10;

export interface Flaw {
  because: string;
  until: number;
}

/** Whether the windows can be counted: a malformed one, or a clock that jumps, suspends the verdict. */
export class InputWatch {
  readonly #startedAt: number;
  #lastAt: number | null;
  /** The further windows of each proxy with the last one's time. */
  readonly #sameTime = new Map<string, number>();
  flaw: Flaw | null;

  constructor(
    startedAt: number,
    known: { lastAt: number | null; flaw: Flaw | null } = {
      lastAt: null,
      flaw: null,
    },
  ) {
    this.#startedAt = startedAt;
    this.#lastAt = known.lastAt;
    this.flaw = known.flaw;
  }

  /** The time of the last window; null before the first. */
  get lastAt(): number | null {
    return this.#lastAt;
  }

  /** The same, or the start. */
  get now(): number {
    return this.#lastAt ?? this.#startedAt;
  }

  /** Why the verdict is suspended now. */
  get because(): string | null {
    const { until = 0, because = null } = this.flaw ?? {};
    return this.now < until ? because : null;
  }

  /** Suspends the verdict for ten seconds, because input was not counted. */
  suspend(because: string, atMs: number): void {
    const until = atMs + SUSPENSION_MS;
    this.flaw = { because: `not counted: ${because}`, until };
  }

  isSound(pair: WindowPair): boolean {
    const flaw = findFlaw(pair) ?? this.#findJump(pair);
    this.#lastAt = Math.max(pair.atMs, this.#lastAt ?? pair.atMs);
    if (flaw !== undefined) this.suspend(flaw, this.now);
    return flaw === undefined;
  }

  /**
   * After Redis's clock was set back, all entries get the last one's time until it has caught up, and the slots of their
   * decks are unknown.
   */
  #findJump({ proxy, atMs }: WindowPair): string | undefined {
    if (this.#lastAt === null) return undefined;
    const step = atMs - this.#lastAt;
    if (step > 0) this.#sameTime.clear();
    const more = (this.#sameTime.get(proxy) ?? -1) + 1;
    this.#sameTime.set(proxy, more);
    if (more > MOST_AT_ONE_TIME)
      return "Redis’s clock was set back, or stands still";
    if (step > LONGEST_GAP_MS)
      return `the clock jumped, or no window arrived for ${Math.round(step / 1000)} s`;
    return undefined;
  }
}
