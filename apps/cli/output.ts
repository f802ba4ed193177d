import { WriteStream } from "node:tty";
import { styleText } from "node:util";
import { escapeUnsafe } from "../../lib/wording/plain-text.js";
import { wrap } from "./fit.js";
import type { Environment } from "../../lib/settings/settings.js";

export type Style = Parameters<typeof styleText>[0];

/** Applies a style to a text, unless colours are off. */
export type Paint = (style: Style, text: string) => string;

/** How a page is drawn. */
export interface Look {
  paint: Paint;
  /** Columns. */
  width: number;
}

/** A sentence in one style, wrapped. */
export function drawSentence(
  style: Style,
  text: string,
  { paint, width }: Look,
): string[] {
  return wrap(text, width).map((line) => paint(style, line));
}

/** A terminal or another writer of text. */
export interface OutputStream {
  write: (text: string) => unknown;
}

/** Prints lines and JSON. */
export class Output implements Look {
  readonly #stream: OutputStream;
  /** Undefined if the output is not a terminal. */
  readonly terminal: WriteStream | undefined;
  readonly paint: Paint;

  constructor(stream: OutputStream, env: Environment) {
    this.#stream = stream;
    this.terminal = stream instanceof WriteStream ? stream : undefined;
    this.paint =
      (this.terminal?.hasColors(env) ?? isColourForced(env))
        ? (style, text) => styleText(style, text, { validateStream: false })
        : (_style, text) => text;
  }

  /** Columns of the terminal; infinite in a pipe, where nothing is cut or wrapped. */
  get width(): number {
    return this.terminal?.columns ?? Infinity;
  }

  readonly line = (text: string): void => {
    this.#stream.write(`${text}\n`);
  };

  /** Wrapped in a terminal. */
  readonly sentence = (text: string): void => {
    wrap(text, this.width).forEach(this.line);
  };

  /** Indented, for people too. */
  json(value: unknown): void {
    this.line(escapeUnsafe(JSON.stringify(value, undefined, 2)));
  }

  /** In one line. */
  jsonLine(value: unknown): void {
    this.line(escapeUnsafe(JSON.stringify(value)));
  }
}

/** As Node reads it for a terminal. */
function isColourForced({ FORCE_COLOR: forced }: Environment): boolean {
  return forced !== undefined && forced !== "0" && forced !== "false";
}
