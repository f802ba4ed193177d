import type { Socket } from "node:net";

/** What a client sends beyond this waits in the kernel. */
const EARLY_LIMIT_BYTES = 65_536;

/**
 * A client that has asked to switch protocols and waits for the answer: what it sends meanwhile is kept, and when it
 * ends its side it has gone. Node's server does neither once it has handed the socket over.
 */
export class WaitingClient {
  readonly socket: Socket;
  readonly #early: Buffer[];
  #earlyBytes: number;

  /** @param head what came behind the request's head */
  constructor(socket: Socket, head: Buffer) {
    this.socket = socket;
    this.#early = [head];
    this.#earlyBytes = head.length;
    socket.on("data", this.#keep).on("end", this.#leave);
  }

  /** Hands the socket on. @returns what the client has sent so far */
  release(): Buffer {
    this.socket.off("data", this.#keep).off("end", this.#leave);
    return Buffer.concat(this.#early);
  }

  readonly #keep = (chunk: Buffer): void => {
    this.#early.push(chunk);
    this.#earlyBytes += chunk.length;
    if (this.#earlyBytes >= EARLY_LIMIT_BYTES) this.socket.pause();
  };

  readonly #leave = (): void => {
    this.socket.destroy();
  };
}
