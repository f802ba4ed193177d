import { ResponseParser } from "./response-parser.js";

/**
 * Reads along what Node's parser reads of a response, which does not tell of bytes behind its end, nor of what only a
 * strict reader takes amiss.
 */
export class ResponseGuard {
  readonly #parser: ResponseParser;
  #state: "open" | "complete" | "bad" = "open";

  /** @param options.answersHead whether the request was a HEAD */
  constructor(options: { answersHead: boolean; maxHeadBytes: number }) {
    this.#parser = new ResponseParser(options);
  }

  /** Whether a whole response has been read, and not a byte beyond it. */
  get isComplete(): boolean {
    return this.#state === "complete";
  }

  push(bytes: Buffer): void {
    if (this.#state !== "open") return;
    try {
      const { ended, excess } = this.#parser.push(bytes);
      if (ended) this.#state = excess ? "bad" : "complete";
    } catch {
      this.#state = "bad";
    }
  }
}
