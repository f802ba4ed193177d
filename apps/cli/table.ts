export interface Column {
  title: string;
  /** Figures are right-aligned. */
  isFigure?: boolean;
}

/** Columns two spaces apart, below their titles. */
export function layOut(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string[] {
  return align(columns, [columns.map(({ title }) => title), ...rows]);
}

/** One line per fact: a name and a text. */
export function layOutFacts(
  facts: readonly (readonly [name: string, text: string])[],
): string[] {
  return align([{}, {}], facts);
}

function align(
  columns: readonly Pick<Column, "isFigure">[],
  lines: readonly (readonly string[])[],
): string[] {
  const widths = columns.map((_column, at) =>
    Math.max(...lines.map((cells) => cells[at]?.length ?? 0)),
  );
  return lines.map((cells) =>
    columns
      .map(({ isFigure = false }, at) => {
        const cell = cells[at] ?? "";
        const width = widths[at] ?? 0;
        return isFigure ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
}
