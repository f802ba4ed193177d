import type { Socket } from "node:net";
import { connectUpstream } from "../upstream-socket.js";
import type { Upstream } from "../upstreams.js";

/** The exchange that a connection carries. */
export interface ConnectionUser {
  /** @param length the number of bytes in use @returns false to pause until the socket is resumed */
  onBytes: (bytes: Buffer, length: number) => boolean;
  onConnect: () => void;
  onDrain: () => void;
  /** No byte has moved for the response timeout. */
  onTimeout: () => void;
  /** The upstream has ended its side in an orderly way. */
  onEnd: () => void;
  onClose: (cause: Error) => void;
}

/**
 * A connection to an upstream, one exchange at a time. A byte that arrives between exchanges ends it: it would be taken for
 * the next response.
 */
export class DirectConnection {
  readonly socket: Socket;
  idleSince = 0;
  isReused = false;
  isConnected = false;
  #user: ConnectionUser | undefined;
  #cause = new Error("the upstream closed the connection");

  constructor(upstream: Upstream, connectMs: number) {
    this.socket = connectUpstream(upstream, connectMs, (bytes, length) =>
      this.#receive(bytes, length),
    );
    this.socket
      .once("connect", () => {
        this.isConnected = true;
        this.#user?.onConnect();
      })
      .on("drain", () => this.#user?.onDrain())
      .on("end", () => this.#end())
      .on("error", (err) => (this.#cause = err))
      .on("close", () => this.#leave()?.onClose(this.#cause));
  }

  /** Assigns an exchange, which starts when the connection is established. */
  carry(user: ConnectionUser): void {
    this.#user = user;
    if (this.isConnected) user.onConnect();
  }

  onSilent(): void {
    this.#user?.onTimeout();
  }

  /** The exchange is complete, and another may follow. */
  release(): void {
    this.#user = undefined;
  }

  /** Ends the connection without notifying its exchange. */
  destroy(): void {
    this.#user = undefined;
    this.socket.destroy();
  }

  #receive(bytes: Buffer, length: number): boolean {
    if (this.#user !== undefined) return this.#user.onBytes(bytes, length);
    this.socket.destroy();
    return true;
  }

  #end(): void {
    this.#user?.onEnd();
    this.destroy();
  }

  #leave(): ConnectionUser | undefined {
    const user = this.#user;
    this.#user = undefined;
    return user;
  }
}
