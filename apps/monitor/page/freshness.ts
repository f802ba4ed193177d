import { formatSpan } from "../../../lib/headline.js";

/** Three seconds are three messages missed. */
const OLD_AFTER_MS = 3000;
/** Before that a slow first answer is no trouble. */
const LOADING_MS = 4000;

export interface Freshness {
  level: "loading" | "live" | "old";
  text: string;
}

/** Whether what the page shows is of now. Nothing is shown as current unless the monitor has said so within three seconds. */
export class FreshnessKeeper {
  readonly #openedAt = performance.now();
  #stateAt: number | undefined;
  #trouble: string | undefined;

  heardState(): void {
    this.#stateAt = performance.now();
    this.#trouble = undefined;
  }

  heardTrouble(reason: string): void {
    this.#trouble = reason;
  }

  get isKnown(): boolean {
    return this.#stateAt !== undefined;
  }

  judge(): Freshness {
    const now = performance.now();
    const ageMs = now - (this.#stateAt ?? this.#openedAt);
    if (this.#trouble !== undefined)
      return { level: "old", text: capitalize(this.#trouble) };
    if (this.#stateAt === undefined)
      return ageMs < LOADING_MS
        ? { level: "loading", text: "Waiting for the monitor …" }
        : { level: "old", text: "The monitor does not answer" };
    if (ageMs > OLD_AFTER_MS)
      return {
        level: "old",
        text: `No word from the monitor for ${formatSpan(ageMs)}`,
      };
    return { level: "live", text: "Live" };
  }
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
