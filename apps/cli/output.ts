import { styleText } from "node:util";

export type Style = Parameters<typeof styleText>[0];

/** Puts a style on a text, or nothing where there are to be no colours. */
export type Paint = (style: Style, text: string) => string;

/** Standard output, for lines. */
export class Output {
  readonly stream: NodeJS.WriteStream;
  readonly isTerminal: boolean;
  readonly paint: Paint;

  constructor(stream: NodeJS.WriteStream) {
    this.stream = stream;
    this.isTerminal = stream.isTTY;
    const isColoured = stream.isTTY && stream.hasColors();
    this.paint = isColoured
      ? (style, text) => styleText(style, text, { validateStream: false })
      : (_style, text) => text;
  }

  readonly line = (text: string): void => {
    this.stream.write(`${text}\n`);
  };

  /** For programs: one value, over several lines where a person may look too. */
  json(value: unknown): void {
    this.line(toSafeJson(value, 2));
  }

  /** One value in one line. */
  jsonLine(value: unknown): void {
    this.line(toSafeJson(value));
  }
}

/** JSON escapes most control characters, but not those that a terminal may take for the start of a sequence. */
function toSafeJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replace(
    /[\u007f-\u009f]/g,
    (character) =>
      `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
