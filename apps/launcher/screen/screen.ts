import { styleText } from "node:util";
import type { Logger } from "../../../lib/program/log.js";
import { toPlain } from "../../../lib/wording/plain-text.js";
import { formatClock } from "../../../lib/wording/units.js";
import { StepLine } from "./step-line.js";

type Style = Parameters<typeof styleText>[0];

const KIND_STYLES: Readonly<Record<string, Style>> = {
  flip: ["bold", "cyan"],
  breach: ["bold", "red"],
  harm: "bold",
  died: ["bold", "red"],
  error: ["bold", "red"],
  recovery: ["bold", "green"],
  back: "green",
  alert: "yellow",
  silence: "yellow",
  warning: "yellow",
  mail: "magenta",
};
const KIND_WIDTH = 8;
/** The column of sentences: after the time and the kind. */
const INDENT = " ".repeat("00:00:00 UTC".length + 2 + KIND_WIDTH + 2);

/** The launcher's output on the terminal. */
export class Screen {
  /** The kinds of all events so far. */
  readonly kindsShown = new Set<string>();
  readonly #write: (text: string) => void;
  readonly #isColoured: boolean;
  readonly #columns: number | undefined;
  #step: StepLine | undefined;

  /** @param options.columns of a terminal */
  constructor(
    write: (text: string) => void,
    options: { isColoured?: boolean; columns?: number | undefined } = {},
  ) {
    this.#write = write;
    this.#isColoured = options.isColoured ?? false;
    this.#columns = options.columns;
  }

  /** Shows trusted text unchanged. */
  show(text: string): void {
    const lines = `${text}\n`;
    if (this.#step === undefined) this.#write(lines);
    else this.#step.interrupt(lines);
  }

  /** Runs a step, one at a time, behind a line with its seconds. */
  async during<T>(step: string, run: () => Promise<T>): Promise<T> {
    const output = { write: this.#write, columns: this.#columns };
    const line = new StepLine(toPlain(step), output);
    this.#step = line;
    try {
      return await run();
    } finally {
      this.#step = undefined;
      line.close();
    }
  }

  /** Shows a line with time and kind, and further lines under it. Control characters are removed. */
  readonly event = (
    kind: string,
    sentence: string,
    more: { at?: Date; under?: readonly string[] } = {},
  ): void => {
    const { at = new Date(), under = [] } = more;
    this.kindsShown.add(kind);
    const time = this.#style("dim", formatClock(at, at.getTime()));
    const word = this.#style(
      KIND_STYLES[kind] ?? "dim",
      toPlain(kind).padEnd(KIND_WIDTH),
    );
    this.show(`${time}  ${word}  ${toPlain(sentence)}`);
    for (const line of under)
      this.show(this.#style("dim", `${INDENT}${toPlain(line)}`));
  };

  #style(style: Style, text: string): string {
    return this.#isColoured
      ? styleText(style, text, { validateStream: false })
      : text;
  }
}

/** A logger for modules of lib/ that shows messages on the screen. */
export function createScreenLogger(screen: Screen): Logger {
  const report = (kind: string) => (data: object, message: string) => {
    const err = "err" in data && data.err instanceof Error ? data.err : null;
    screen.event(kind, err === null ? message : `${message}: ${err.message}`);
  };
  return {
    debug: () => undefined,
    info: report("info"),
    warn: report("warning"),
    error: report("error"),
  };
}
