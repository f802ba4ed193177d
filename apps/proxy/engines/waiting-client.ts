import type { Socket } from "node:net";

/** Beyond this, a client's early bytes wait in the kernel. */
const EARLY_LIMIT_BYTES = 65_536;

/**
 * A client that waits for the answer to its request to switch protocols. Its early bytes are kept, and if it ends its side,
 * it counts as gone. Node's server does neither once it has handed the socket over.
 */
export class WaitingClient {
  readonly socket: Socket;
  readonly #early: Buffer[];
  #earlyBytes: number;

  /** @param head the bytes that followed the request's head */
  constructor(socket: Socket, head: Buffer) {
    this.socket = socket;
    this.#early = [head];
    this.#earlyBytes = head.length;
    socket.on("data", this.#keep).on("end", this.#leave);
  }

  /** Gives up the socket. @returns the client's bytes so far */
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
