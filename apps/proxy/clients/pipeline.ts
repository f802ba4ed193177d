import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** The most pipelined requests of one client that are forwarded before their turn. */
const UNDER_WAY_LIMIT = 32;

/**
 * The pipelined requests of one client. A limited number is forwarded at once. While others wait, the proxy stops reading,
 * so that a client can fill neither its memory nor the upstreams. While reading is paused, a client's leaving is detected
 * only by a write.
 */
export class Pipeline {
  readonly #socket: Socket;
  readonly #waiting: { response: ServerResponse; start: () => void }[] = [];
  #underWay = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    // Node resumes reading whenever a response is complete.
    socket.on("resume", () => {
      if (this.#waiting.length > 0) socket.pause();
    });
  }

  /** Calls `start` when there is room. @param response its close makes room for the next */
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
