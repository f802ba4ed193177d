import { cut, pad, widthOf, wrap } from "./fit.js";

const GAP = "  ";
/** A column of text keeps this much, unless it names its own `least`. */
const MIN_TEXT_WIDTH = 10;
/** With less beside its name, a text is wrapped below the name. */
const MIN_FACT_WIDTH = 24;

export interface Column {
  title: string;
  /** Figures are right-aligned and never cut. */
  isFigure?: boolean;
  /** What a text keeps. */
  least?: number;
  /** Left out first in a narrow terminal; the last one before the others. */
  isSpare?: boolean;
}

/** Columns two spaces apart, below their titles. Texts are cut to fit the width. */
export function layOut(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width = Infinity,
): string[] {
  const lines = [columns.map(({ title }) => title), ...rows];
  const all = columns.map((column, at) => {
    const cells = lines.map((cells) => cells[at] ?? "");
    const natural = Math.max(...cells.map(widthOf));
    const { isFigure, least: wanted = MIN_TEXT_WIDTH } = column;
    const least = isFigure ? natural : Math.min(natural, wanted);
    return { ...column, cells, least, width: natural };
  });
  const shown = fit(all, width);
  return lines.map((_cells, row) =>
    shown
      .map((column) => pad(cut(column.cells[row] ?? "", column.width), column))
      .join(GAP)
      .trimEnd(),
  );
}

/** Leaves out spare columns and narrows the widest texts until all fit. */
function fit<T extends Column & { least: number; width: number }>(
  columns: readonly T[],
  width: number,
): T[] {
  const sum = (widths: readonly number[]) =>
    widths.reduce((total, one) => total + one + GAP.length, -GAP.length);
  const shown = [...columns];
  while (sum(shown.map(({ least }) => least)) > width) {
    const spare = shown.findLastIndex(({ isSpare }) => isSpare);
    if (spare === -1) break;
    shown.splice(spare, 1);
  }
  const fitted = shown.map((column) => ({ ...column }));
  for (;;) {
    const excess = sum(fitted.map((column) => column.width)) - width;
    const widest = fitted
      .filter((column) => column.width > column.least)
      .reduce<T | undefined>(
        (most, one) => (most && most.width >= one.width ? most : one),
        undefined,
      );
    if (excess <= 0 || widest === undefined) return fitted;
    widest.width -= 1;
  }
}

/** A name and a text, which is wrapped to the width. */
export function layOutFacts(
  facts: readonly (readonly [name: string, text: string])[],
  width = Infinity,
): string[] {
  const nameWidth = Math.max(...facts.map(([name]) => widthOf(name)));
  return facts.flatMap(([name, text]) =>
    hang(pad(name, { width: nameWidth }) + GAP, text, width),
  );
}

/** A text that is wrapped beside its head, or below it where the terminal is too narrow. */
export function hang(head: string, text: string, width: number): string[] {
  const beside = width - widthOf(head);
  if (beside < MIN_FACT_WIDTH && widthOf(text) > beside)
    return [head.trimEnd(), ...indent(wrap(text, Math.max(width - 4, 1)), 4)];
  const [first = "", ...rest] = wrap(text, beside);
  return [head + first, ...indent(rest, widthOf(head))];
}

function indent(lines: readonly string[], by: number): string[] {
  return lines.map((line) => " ".repeat(by) + line);
}
