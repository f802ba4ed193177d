const REDRAW_MS = 100;
const DOT_MS = 1000;
const CLEAR_LINE = "\r\x1b[K";

/** Room for the seconds. */
const SECONDS_WIDTH = 12;

interface StepOutput {
  write: (text: string) => void;
  /** Of a terminal; undefined for other outputs. */
  columns: number | undefined;
}

/**
 * The line of a step that takes time: a terminal shows its seconds, another output gets a dot each second. Other lines may
 * come between. scripts/prepare/progress.mjs shows the same before the build.
 */
export class StepLine {
  readonly #line: string;
  readonly #output: StepOutput;
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout;
  /** Whether other lines came between. */
  #isBroken = false;

  constructor(name: string, output: StepOutput) {
    const { write, columns = Infinity } = output;
    // A line that wraps could not be redrawn.
    this.#line = `${name.slice(0, columns - SECONDS_WIDTH)} …`;
    this.#output = output;
    write(this.#line);
    this.#timer = this.#isTerminal
      ? setInterval(() => this.#redraw(), REDRAW_MS)
      : setInterval(() => !this.#isBroken && write("."), DOT_MS);
  }

  /** Writes whole lines. */
  interrupt(text: string): void {
    const { write } = this.#output;
    if (this.#isTerminal) write(CLEAR_LINE + text);
    else write(this.#isBroken ? text : `\n${text}`);
    this.#isBroken = true;
  }

  close(): void {
    clearInterval(this.#timer);
    const { write } = this.#output;
    if (this.#isTerminal) this.#redraw();
    else write((this.#isBroken ? this.#line : "") + this.#seconds);
    write("\n");
  }

  #redraw(): void {
    this.#output.write(CLEAR_LINE + this.#line + this.#seconds);
  }

  get #isTerminal(): boolean {
    return this.#output.columns !== undefined;
  }

  get #seconds(): string {
    return ` ${((performance.now() - this.#startedAt) / 1000).toFixed(1)} s`;
  }
}
