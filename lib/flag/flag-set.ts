import { flagName } from "../settings/values.js";
import type { FlagDetails } from "./flag-details.js";
import type { FlagWatch } from "./flag-watch.js";

/** A flag that was last confirmed longer ago may be out of date. */
export const FLAG_STALE_MS = 5000;
/** Each further name costs a read every second. */
const MAX_FLAGS = 100;

/** `unset`: nobody has ever set the flag. `unknown`: it has not been read. */
export type Evaluation = FlagDetails | "unset" | "unknown";

/**
 * While the flag that lets the canary in is false, every further flag is false too. That flag is true until somebody sets it; a
 * further flag that nobody has set has no value. While Redis is unreachable, all keep their last value.
 */
export class FlagSet {
  readonly #watch: FlagWatch;
  readonly #gate: string;
  readonly #names = new Set<string>();
  readonly #values = new Map<string, boolean | "unset">();
  readonly #waiting = new Set<() => void>();
  readonly #listeners: ((changed: string[]) => void)[] = [];

  /** @param gate the flag that lets the canary in, which the watch reads first */
  constructor(watch: FlagWatch, gate: string) {
    this.#watch = watch;
    this.#gate = gate;
    this.#names.add(gate);
    watch.onReading(() => this.#update());
  }

  /** Never waits: a name that is new here is `unknown`, and is read from then on. */
  evaluate(name: string, now = performance.now()): Evaluation {
    if (!this.#names.has(name)) this.add([name]);
    const reading = this.#watch.readingOf(name);
    const gate = this.#watch.current;
    if (reading === undefined || gate === undefined) return "unknown";
    const isFurther = name !== this.#gate;
    const isStopped = isFurther && !gate.value;
    if (isFurther && !isStopped && !reading.wasSet) return "unset";
    const { by, at } = isStopped ? gate : reading;
    const ageMs = now - reading.confirmedAt;
    return {
      value: reading.value && !isStopped,
      reason: chooseReason(ageMs, isStopped),
      ...{ by, at, ageMs },
    };
  }

  /** Watches these flags. A name that no flag can have, or that is one too many, stays unknown. */
  add(names: readonly string[]): void {
    const added = names
      .filter(
        (name) => flagName.safeParse(name).success && !this.#names.has(name),
      )
      .slice(0, MAX_FLAGS - this.#names.size);
    if (added.length === 0) return;
    for (const name of added) this.#names.add(name);
    this.#watch.watch(added);
  }

  /** Watches these flags, and resolves when they are known, or after `timeoutMs`. */
  async know(names: readonly string[], timeoutMs: number): Promise<void> {
    this.add(names);
    const isKnown = (name: string) =>
      !this.#names.has(name) || this.#watch.readingOf(name) !== undefined;
    if (names.every(isKnown)) return;
    await new Promise<void>((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve();
      };
      const check = () => {
        if (names.every(isKnown)) finish();
      };
      const timer = setTimeout(finish, timeoutMs);
      this.#waiting.add(check);
    });
  }

  /** Called with the names of the flags whose value has changed since they became known. */
  onChange(listener: (changed: string[]) => void): void {
    this.#listeners.push(listener);
  }

  #update(): void {
    for (const check of this.#waiting) check();
    const changed = [...this.#names].filter((name) => this.#hasChanged(name));
    if (changed.length === 0) return;
    for (const listener of this.#listeners) listener(changed);
  }

  #hasChanged(name: string): boolean {
    const evaluation = this.evaluate(name);
    if (evaluation === "unknown") return false;
    const value = evaluation === "unset" ? evaluation : evaluation.value;
    const last = this.#values.get(name);
    this.#values.set(name, value);
    return last !== undefined && last !== value;
  }
}

function chooseReason(
  ageMs: number,
  isStopped: boolean,
): FlagDetails["reason"] {
  if (ageMs > FLAG_STALE_MS) return "STALE";
  return isStopped ? "DISABLED" : "STATIC";
}
