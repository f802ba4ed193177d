import { parseDuration } from "../../lib/wording/units.js";

const DAY_MS = 86_400_000;

/**
 * A moment as people give it: `1h` ago, `2026-11-30T12:00Z`, or `14:03:09`, its last occurrence. Without a zone it is UTC, as in
 * all that Serin prints.
 *
 * @returns ms since the epoch; undefined for anything else
 */
export function parseMoment(text: string, now: number): number | undefined {
  const agoMs = parseDuration(text);
  if (agoMs !== undefined) return now - agoMs;
  if (/^\d\d:\d\d(:\d\d)?$/.test(text)) {
    const today = new Date(now).toISOString().slice(0, 10);
    const at = Date.parse(`${today}T${text}Z`);
    return toKnown(at > now ? at - DAY_MS : at);
  }
  const [, date, time = "00:00", zone = "Z"] =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?))?(Z| UTC|[+-]\d\d:?\d\d)?$/.exec(
      text,
    ) ?? [];
  // Date.parse takes the 30th of February for the 2nd of March.
  const day = toKnown(Date.parse(`${date}T00:00Z`));
  if (day === undefined || new Date(day).toISOString().slice(0, 10) !== date)
    return undefined;
  return toKnown(Date.parse(`${date}T${time}${zone === " UTC" ? "Z" : zone}`));
}

function toKnown(ms: number): number | undefined {
  return Number.isNaN(ms) ? undefined : ms;
}
