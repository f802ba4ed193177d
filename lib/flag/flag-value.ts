/**
 * A flag that Redis has lost keeps its last known value, and one that was never written is true. A value other than `true`
 * and `false` counts as false.
 */
export function parseFlag(
  raw: string | null,
  lastKnown = true,
): { value: boolean; garbled: boolean } {
  return {
    value: raw === null ? lastKnown : raw === "true",
    garbled: raw !== null && raw !== "true" && raw !== "false",
  };
}
