import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Of one client's requests, the most that are under way upstream behind the one whose answer is due. */
const UNDER_WAY_LIMIT = 32;

/**
 * The requests that a client sent before it had the answers to those in front. A few of them are under way at once; while
 * others wait, no more is read, so that a client cannot fill the memory, or the upstreams, with what it sends ahead. That
 * such a client has gone is seen only when it is written to.
 */
export class Pipeline {
  readonly #socket: Socket;
  readonly #waiting: { response: ServerResponse; start: () => void }[] = [];
  #underWay = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    // Node reads on whenever a response is complete.
    socket.on("resume", () => {
      if (this.#waiting.length > 0) socket.pause();
    });
  }

  /** Has `start` called in its turn. @param response its end makes place for another */
  add(response: ServerResponse, start: () => void): void {
    this.#waiting.push({ response, start });
    this.#startSome();
    if (this.#waiting.length > 0) this.#socket.pause();
  }

  #startSome(): void {
    while (this.#underWay < UNDER_WAY_LIMIT && !this.#socket.destroyed) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#underWay += 1;
      next.response.once("close", () => this.#onAnswered());
      next.start();
    }
  }

  #onAnswered(): void {
    this.#underWay -= 1;
    const wasHeldUp = this.#waiting.length > 0;
    this.#startSome();
    if (wasHeldUp && this.#waiting.length === 0) this.#socket.resume();
  }
}
