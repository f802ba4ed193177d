import stringWidth from "string-width";

const graphemes = new Intl.Segmenter();

/** Columns that a text without control characters takes in a terminal: two for each wide character. */
export const widthOf: (text: string) => number = stringWidth;

export function pad(
  text: string,
  { width, isFigure = false }: { width: number; isFigure?: boolean },
): string {
  const blanks = " ".repeat(Math.max(0, width - widthOf(text)));
  return isFigure ? blanks + text : text + blanks;
}

/** Ends with an ellipsis if it is cut. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  const [kept = ""] = chop(text, Math.max(0, width - 1));
  return `${kept.trimEnd()}…`;
}

/** Breaks a sentence at spaces, and words that are wider than a line anywhere. No line is empty but that of an empty sentence. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line: string | undefined;
  for (const word of text.split(" ")) {
    const longer = line === undefined ? word : `${line} ${word}`;
    if (widthOf(longer) <= width) {
      line = longer;
      continue;
    }
    if (line !== undefined) lines.push(line.trimEnd());
    const parts = chop(word, width);
    lines.push(...parts.slice(0, -1));
    line = parts.at(-1) ?? "";
  }
  return [...lines, (line ?? "").trimEnd()];
}

/** Pieces that fit, of one character at least. */
function chop(text: string, width: number): string[] {
  const pieces: string[] = [];
  let piece = "";
  for (const { segment } of graphemes.segment(text)) {
    if (piece !== "" && widthOf(piece + segment) > width) {
      pieces.push(piece);
      piece = "";
    }
    piece += segment;
  }
  return [...pieces, piece];
}
