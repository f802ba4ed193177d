/** Ms on the machine's monotonic clock, which all processes share: their readings can be compared. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** What the monotonic clock read when the wall clock read `epochMs`. */
export function toMonotonicMs(epochMs: number): number {
  return epochMs - Date.now() + monotonicMs();
}
