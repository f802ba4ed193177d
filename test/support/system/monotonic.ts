/** Ms of the machine's monotonic clock, which is comparable between processes. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Converts a time of the wall clock to the monotonic clock. */
export function toMonotonicMs(epochMs: number): number {
  return epochMs - Date.now() + monotonicMs();
}
