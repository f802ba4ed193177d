import { formatFigure, formatUtc, nameFigure } from "./units.js";
import { shortLine } from "./plain-text.js";

const MAX_FIGURES = 40;
const MAX_LABEL_CHARACTERS = 40;
const MAX_VALUE_CHARACTERS = 200;

/** A named value. */
export interface Figure {
  label: string;
  value: string;
}

/**
 * All numbers, strings and booleans of an event's data. The unit is the name's last word, as everywhere in Serin:
 * `p95Ms`, `rssBytes`, `cpuRatio`, `seenAt`.
 */
export function listFigures(
  data: Record<string, unknown>,
  omit: ReadonlySet<string>,
): Figure[] {
  return Object.entries(data)
    .filter(([name]) => !omit.has(name))
    .flatMap(([name, value]) => {
      const shown = formatValue(name, value);
      return shown === undefined
        ? []
        : [
            {
              label: shortLine(nameFigure(name), MAX_LABEL_CHARACTERS),
              value: shown,
            },
          ];
    })
    .slice(0, MAX_FIGURES);
}

/** `2026-03-01 12:00:00 UTC`; any other text stays as it is. */
export function formatTime(time: string): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime())
    ? shortLine(time, MAX_VALUE_CHARACTERS)
    : formatUtc(date);
}

function formatValue(name: string, value: unknown): string | undefined {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return formatFigure(name, value);
  if (typeof value !== "string") return undefined;
  return name.endsWith("At")
    ? formatTime(value)
    : shortLine(value, MAX_VALUE_CHARACTERS);
}
