import type { Cohort } from "./recent-requests.js";

/** Prod fails alike if its share of failures is this part of the canary's, or more. */
const ALIKE = 1 / 3;
/** A shorter wait says nothing about prod. */
const MIN_LATE_MS = 1000;

/** The requests of both sides that began in the time of the canary's failures. */
export interface TripTime {
  canary: Cohort;
  prod: Cohort;
  /** Prod's requests before that time. */
  usual: Cohort;
}

/** How long a request of prod lasts that waited as long as the canary's failed ones did. */
export function lateAfterMs({ failedAfterMs }: Cohort): number {
  return Math.max(MIN_LATE_MS, failedAfterMs);
}

/**
 * Whether the canary failed alone, or prod did alike in the same time. A request of prod that waited as long as the canary's
 * failed ones counts as failed, beyond the share of prod's requests that usually last as long.
 *
 * @param isLastWord decides with what is known: what still waits has waited long enough
 * @returns undefined while that depends on requests that prod has not answered
 */
export function judgeTrip(
  { canary, prod, usual }: TripTime,
  isLastWord: boolean,
): "confirmed" | "withdrawn" | undefined {
  // Nothing contradicts the trip.
  if (prod.requests === 0 || canary.requests === 0) return "confirmed";
  const canaryShare = (canary.failures + canary.waiting) / canary.requests;
  const enough = prod.requests * canaryShare * ALIKE;
  const usuallyLate =
    ((usual.late + usual.waiting) / Math.max(1, usual.requests)) *
    prod.requests;
  const failures = (late: number) =>
    prod.failures + Math.max(0, late - usuallyLate);
  if (failures(prod.late) >= enough) return "withdrawn";
  if (isLastWord)
    return failures(prod.late + prod.waiting) >= enough
      ? "withdrawn"
      : "confirmed";
  const atMost = failures(prod.late) + prod.waiting;
  return atMost < enough ? "confirmed" : undefined;
}
