export interface Column {
  title: string;
  /** Figures stand at the right. */
  isFigure?: boolean;
}

/** Lines of columns two spaces apart, the titles first. */
export function layOut(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string[] {
  return align(columns, [columns.map(({ title }) => title), ...rows]);
}

/** Lines of a name and what is to be said of it. */
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
