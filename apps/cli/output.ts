import { WriteStream } from "node:tty";
import { styleText } from "node:util";
import type { Environment } from "../../lib/settings/settings.js";

export type Style = Parameters<typeof styleText>[0];

/** Puts a style on a text, or nothing where there are to be no colours. */
export type Paint = (style: Style, text: string) => string;

/** A terminal, or whatever else takes text. */
export interface OutputStream {
  write: (text: string) => unknown;
}

/** Standard output, for lines. */
export class Output {
  readonly #stream: OutputStream;
  /** Undefined when the output goes elsewhere, as into a pipe. */
  readonly terminal: WriteStream | undefined;
  readonly paint: Paint;

  constructor(stream: OutputStream, env: Environment) {
    this.#stream = stream;
    this.terminal = stream instanceof WriteStream ? stream : undefined;
    this.paint =
      this.terminal?.hasColors(env) === true
        ? (style, text) => styleText(style, text, { validateStream: false })
        : (_style, text) => text;
  }

  readonly line = (text: string): void => {
    this.#stream.write(`${text}\n`);
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
