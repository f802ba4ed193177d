/** What the monitor's SILENCE_MS is unless it is set. */
export const DEFAULT_SILENCE_MS = 5000;

/** Whether a proxy or agent has not been heard for longer than it may; what it told last says nothing about now. */
export function isSilent(
  member: { seenAt: string },
  silenceMs: number,
  now: number,
): boolean {
  return now - Date.parse(member.seenAt) > silenceMs;
}
