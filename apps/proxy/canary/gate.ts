import type { FlagReading } from "../../../lib/flag/flag-watch.js";

export interface GateRules {
  /** Longest age of the last confirmation of the flag. */
  flagStaleMs: number;
  /** Whether a leading monitor must watch the canary. */
  leaseRequired: boolean;
}

/**
 * If anything about the canary is unknown, all traffic goes to prod.
 *
 * @param reading the last one, undefined before the first
 * @param now monotonic ms (`performance.now()`)
 * @returns what holds the canary back, or null when it is open
 */
export function whyCanaryIsClosed(
  reading: FlagReading | undefined,
  rules: GateRules,
  now: number,
): string | null {
  if (reading === undefined)
    return "flag is unknown: Redis has not answered yet";
  if (!reading.value) return "flag is false";
  if (reading.isOutdated) return "flag has just been written: it is being read";
  if (now - reading.confirmedAt > rules.flagStaleMs)
    return "flag is stale: Redis does not answer";
  if (!rules.leaseRequired) return null;
  if (reading.lease === null) return "no monitor leads: there is no lease";
  if (reading.lease.freshUntil < now)
    return "no monitor leads: the lease has expired";
  return null;
}

/**
 * The same from the other side: for how long it stays open if nothing more is heard.
 *
 * @returns ms from `now`; 0 when it is closed
 */
export function canaryOpenForMs(
  reading: FlagReading | undefined,
  rules: GateRules,
  now: number,
): number {
  if (whyCanaryIsClosed(reading, rules, now) !== null) return 0;
  const staleAt = (reading?.confirmedAt ?? 0) + rules.flagStaleMs;
  const freshUntil = rules.leaseRequired
    ? (reading?.lease?.freshUntil ?? 0)
    : Infinity;
  return Math.min(staleAt, freshUntil) - now;
}

/**
 * If whoever knows the flag and the lease falls silent, all traffic goes to prod: what it leaves in the memory that all
 * threads share is not that the canary is open but until when, and each thread looks at the clock for itself.
 */
export class CanaryGate {
  readonly #openUntil: BigInt64Array;
  readonly #clockOffsetMs: number;

  /**
   * @param openUntil one cell, 0 before anything is known
   * @param clockOffsetMs from this thread's monotonic clock to the one that all threads agree on
   */
  constructor(openUntil: BigInt64Array, clockOffsetMs: number) {
    this.#openUntil = openUntil;
    this.#clockOffsetMs = clockOffsetMs;
  }

  /** @param now monotonic ms, here and below */
  isOpenAt(now: number): boolean {
    return (
      now + this.#clockOffsetMs <= Number(Atomics.load(this.#openUntil, 0))
    );
  }

  /** @param openForMs from now on; 0 or less closes it at once */
  publish(openForMs: number, now: number): void {
    const openUntil =
      openForMs > 0 ? Math.floor(now + this.#clockOffsetMs + openForMs) : 0;
    Atomics.store(this.#openUntil, 0, BigInt(openUntil));
  }
}
