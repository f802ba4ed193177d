/** The default of the monitor's SILENCE_MS. */
export const DEFAULT_SILENCE_MS = 5000;

/** Whether a proxy or agent has not reported for longer than `silenceMs`. Its last report no longer counts. */
export function isSilent(
  member: { seenAt: string },
  silenceMs: number,
  now: number,
): boolean {
  return now - Date.parse(member.seenAt) > silenceMs;
}
