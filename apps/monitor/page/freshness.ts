import { formatSpan } from "../../../lib/wording/units.js";

/** Three missed messages. */
const OLD_AFTER_MS = 3000;
/** A hidden page polls every five seconds, but browsers may throttle it to once a minute. */
const OLD_WHEN_HIDDEN_MS = 65_000;
/** How long a page may take to update after it becomes visible. */
const RETURN_MS = 1000;
/** Before that a slow first answer is no reason to worry. */
const LOADING_MS = 4000;

const ADVICE = "On the edge host: sudo serin status.";

export interface Freshness {
  level: "loading" | "live" | "old";
  text: string;
  /** What users have, and what to do; undefined while nothing is known. */
  advice?: string;
}

/**
 * Whether the page is current: a visible page shows its data as stale unless it received a message within three seconds.
 * Estimates the monitor's clock, because the browser's own may be wrong or be adjusted while the page is open.
 */
export class FreshnessKeeper {
  readonly #openedAt = performance.now();
  #stateAt: number | undefined;
  #serverMs = Date.now();
  #shownAt = 0;
  #outage: string | undefined;

  constructor() {
    document.addEventListener("visibilitychange", () => {
      this.#shownAt = performance.now();
    });
  }

  /** The monitor's clock, ms since the epoch. */
  now(): number {
    const since = this.#stateAt ?? this.#openedAt;
    return this.#serverMs + performance.now() - since;
  }

  heardState(serverMs: number): void {
    this.#serverMs = serverMs;
    this.#stateAt = performance.now();
    this.#outage = undefined;
  }

  heardOutage(reason: string): void {
    this.#outage = reason;
  }

  judge(): Freshness {
    const now = performance.now();
    const ageMs = now - (this.#stateAt ?? this.#openedAt);
    if (this.#outage !== undefined)
      return {
        level: "old",
        text: `${capitalize(this.#outage)} · users get prod`,
        advice:
          "Without Redis, proxies send everything to prod within seconds, and nothing can be switched.",
      };
    if (this.#stateAt === undefined)
      return ageMs < LOADING_MS
        ? { level: "loading", text: "Waiting for the monitor …" }
        : { level: "old", text: "The monitor does not answer", advice: ADVICE };
    const isWatched = !document.hidden && now - this.#shownAt > RETURN_MS;
    if (ageMs > (isWatched ? OLD_AFTER_MS : OLD_WHEN_HIDDEN_MS))
      return {
        level: "old",
        text: `No data from the monitor for ${formatSpan(ageMs)}`,
        advice: ADVICE,
      };
    return { level: "live", text: "Live" };
  }
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
