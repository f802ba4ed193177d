import type { WriteStream } from "node:tty";

const ENTER = "\u001b[?1049h\u001b[?25l\u001b[?7l";
const LEAVE = "\u001b[?7h\u001b[?25h\u001b[?1049l";
/** Synchronised update: terminals that support it show the frame at once, others ignore it. */
const BEGIN_FRAME = "\u001b[?2026h\u001b[H";
const END_FRAME = "\u001b[J\u001b[?2026l";
const CLEAR_REST_OF_LINE = "\u001b[K";

/**
 * The terminal's alternate screen. Frames overwrite each other without clearing first, so they do not flicker. Long lines are
 * cut at the window's edge. `close` restores the main screen and the cursor, and may be called twice.
 */
export class LiveScreen {
  readonly #terminal: WriteStream;
  #isOpen = false;

  constructor(terminal: WriteStream) {
    this.#terminal = terminal;
  }

  open(): void {
    this.#isOpen = true;
    this.#terminal.write(ENTER);
  }

  draw(lines: readonly string[]): void {
    if (!this.#isOpen) return;
    const shown = lines.slice(0, this.#terminal.rows);
    const text = shown.map((line) => line + CLEAR_REST_OF_LINE).join("\r\n");
    this.#terminal.write(BEGIN_FRAME + text + END_FRAME);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#terminal.write(LEAVE);
  }
}
