import type { PlaceboReport } from "../telemetry/monitor-state.js";

/**
 * `prod against itself: 3 of 34 comparisons would have stopped, most often 10.0.0.12:3001 (1.3 × slower on GET /get)`: the
 * site's own rate of false stops.
 */
export function describePlacebo({
  prodHosts,
  comparisons,
  stopped,
  hosts,
}: PlaceboReport): string {
  if (comparisons === 0)
    return prodHosts < 2
      ? "prod against itself: needs two prod hosts"
      : "prod against itself: no comparison of ten minutes yet";
  const worst = hosts.toSorted((one, other) => other.stopped - one.stopped)[0];
  const times = comparisons === 1 ? "comparison" : "comparisons";
  const what = `prod against itself: ${stopped} of ${comparisons} ${times} would have stopped`;
  return stopped === 0 || worst === undefined
    ? what
    : `${what}, most often ${worst.host} (${worst.because ?? "slower"})`;
}

/** Whether it is more than chance explains. */
export function isPlaceboBad({ comparisons, stopped }: PlaceboReport): boolean {
  return stopped >= 3 && stopped > comparisons / 20;
}
