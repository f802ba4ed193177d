import type { FlagReading } from "../../../lib/flag/flag-watch.js";

/** What is known about the canary. */
export interface Known {
  /** The last reading, undefined before the first. */
  reading:
    | Pick<FlagReading, "value" | "confirmedAt" | "isOutdated" | "leaseUntil">
    | undefined;
  /** Why Redis refuses to tell the flag; undefined if it does not answer. */
  refusal: string | undefined;
  /** Since when, in monotonic ms, and why Redis takes no telemetry of this proxy; undefined while it does. */
  untaken: { since: number; because: string } | undefined;
}

export interface GateRules {
  /** Longest age of the last confirmation of the flag, and of telemetry that Redis has not taken. */
  flagStaleMs: number;
  /** Whether a leading monitor must watch the canary. */
  leaseRequired: boolean;
}

/**
 * If anything about the canary is unknown, or nobody can watch it, all traffic goes to prod.
 *
 * @param now monotonic ms (`performance.now()`)
 * @returns why the canary is closed, or null when it is open
 */
export function whyCanaryIsClosed(
  { reading, refusal, untaken }: Known,
  rules: GateRules,
  now: number,
): string | null {
  if (reading === undefined)
    return `flag is unknown: ${refusal ?? "Redis has not answered yet"}`;
  if (!reading.value) return "flag is false";
  if (reading.isOutdated) return "flag has just been written: it is being read";
  if (now - reading.confirmedAt > rules.flagStaleMs)
    return `flag is stale: ${refusal ?? "Redis does not answer"}`;
  if (untaken !== undefined && now - untaken.since > rules.flagStaleMs)
    return `telemetry is not taken: ${untaken.because}`;
  if (!rules.leaseRequired) return null;
  if (reading.leaseUntil === null) return "no monitor leads: there is no lease";
  if (reading.leaseUntil < now)
    return "no monitor leads: the lease has expired";
  return null;
}

/**
 * How long the canary stays open without a further reading.
 *
 * @returns ms from `now`; 0 when it is closed
 */
export function canaryOpenForMs(
  known: Known,
  rules: GateRules,
  now: number,
): number {
  if (whyCanaryIsClosed(known, rules, now) !== null) return 0;
  const { reading, untaken } = known;
  const confirmedAt = reading?.confirmedAt ?? 0;
  const takenAt = untaken?.since ?? Infinity;
  const staleAt = Math.min(confirmedAt, takenAt) + rules.flagStaleMs;
  const freshUntil = rules.leaseRequired
    ? (reading?.leaseUntil ?? 0)
    : Infinity;
  return Math.min(staleAt, freshUntil) - now;
}

/** The number of cells that a gate needs. */
export const GATE_CELLS = 2;
const OPENINGS = 1;

/**
 * If the thread that reads the flag and the lease falls silent, all traffic goes to prod. Shared memory holds the time until
 * which the canary is open, and each thread compares it with its own clock.
 */
export class CanaryGate {
  readonly #openUntil: BigInt64Array;
  readonly #clockOffsetMs: number;

  /**
   * @param openUntil two cells, 0 before the first reading: the time, and how often the canary was opened
   * @param clockOffsetMs from this thread's monotonic clock to the one that all threads share
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

  /** How often the canary was opened. */
  get openings(): number {
    return Number(Atomics.load(this.#openUntil, OPENINGS));
  }

  /** @param openForMs from `now`; 0 or less closes the canary at once */
  publish(openForMs: number, now: number): void {
    const openUntil =
      openForMs > 0 ? Math.floor(now + this.#clockOffsetMs + openForMs) : 0;
    if (openUntil > 0 && !this.isOpenAt(now))
      Atomics.add(this.#openUntil, OPENINGS, 1n);
    Atomics.store(this.#openUntil, 0, BigInt(openUntil));
  }
}
