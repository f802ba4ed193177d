import { InvalidArgumentError } from "commander";
import { parseMoment } from "../moment.js";

/** What options take. Each reads a text, or throws with what would be right. */

export const MAX_EVENTS = 1000;

export function parseLimit(value: string): number {
  const limit = /^\d{1,4}$/.test(value) ? Number(value) : -1;
  if (limit >= 0 && limit <= MAX_EVENTS) return limit;
  throw new InvalidArgumentError(
    `Give a whole number from 0 to ${MAX_EVENTS}.`,
  );
}

/** In ms since the epoch. */
export function parseTime(value: string): number {
  const at = parseMoment(value, Date.now());
  if (at !== undefined) return at;
  throw new InvalidArgumentError(
    "Give 90s, 15m, 1h or 2d ago, 14:03, or 2026-11-30T12:00Z.",
  );
}

export function parseMinutes(value: string): number {
  const minutes = /^\d{1,4}(\.\d{1,3})?$/.test(value) ? Number(value) : 0;
  if (minutes > 0) return minutes;
  throw new InvalidArgumentError("Give a number of minutes.");
}

export function parseLines(value: string): number {
  const lines = /^\d{1,6}$/.test(value) ? Number(value) : 0;
  if (lines > 0) return lines;
  throw new InvalidArgumentError("Give a whole number of lines.");
}

/** Collects several. */
export function parseWeight(value: string, known: number[] = []): number[] {
  const weight = /^\d{1,2}(\.\d{1,2})?$/.test(value) ? Number(value) : 0;
  if (weight > 0 && known.length < 10) return [...known, weight];
  throw new InvalidArgumentError(
    "Give up to 10 percentages, above 0 and below 100, such as 2 7.5 25.",
  );
}
