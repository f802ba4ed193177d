/** In a service's 503, the flag that is off and turned the request away: `feature=off`. */
export const FLAG_HEADER = "x-serin-flag";

export function describeOff(flagName: string): string {
  return `${flagName}=off`;
}

/** Whether a value of that header says that a flag is off. */
export function saysOff(value: string): boolean {
  return value.endsWith("=off");
}

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
