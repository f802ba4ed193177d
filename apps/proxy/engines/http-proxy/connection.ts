import type { ClientRequest, IncomingMessage } from "node:http";
import type { OnReadOpts, Socket } from "node:net";
import type { FollowedConnection } from "../follow-attempt.js";
import { ResponseGuard } from "./response-guard.js";
import { framingOf, type Framing } from "../../http/response-head.js";

/**
 * A connection that http.ClientRequests use one after the other. A byte after a complete response, in the same piece or
 * later, ends it: it would be taken for the next response.
 */
export class PooledConnection implements FollowedConnection {
  readonly socket: Socket;
  idleSince = 0;
  isConnected = false;
  /** Called when no byte has moved for the response timeout and the request has no response yet. */
  onResponseTimeout: (() => void) | undefined;
  #answersHead = false;
  #guard = new ResponseGuard();
  #grant: string | undefined;

  /**
   * @param options.buffer receives what is read; connections may share it
   * @param options.onFree the connection may carry another request; `grant` is the value of the response's `Keep-Alive`
   */
  constructor(options: {
    connect: (onread: OnReadOpts) => Socket;
    buffer: Buffer;
    onFree: (grant: string | undefined) => void;
  }) {
    const { connect, buffer, onFree } = options;
    this.socket = connect({
      buffer,
      callback: (length) => this.#receive(buffer.subarray(0, length)),
    });
    this.socket
      .once("connect", () => (this.isConnected = true))
      .on("error", () => this.socket.destroy())
      // Emitted by http.ClientRequest when the connection may carry another request.
      .on("free", () => {
        if (!this.socket.writable || !this.#guard.isComplete)
          this.socket.destroy();
        else {
          // Keeps nothing of the last exchange alive.
          this.onResponseTimeout = undefined;
          onFree(this.#grant);
        }
      });
  }

  /** Whether any byte of the current response has arrived. */
  get hasAnswered(): boolean {
    return this.#guard.hasBegun;
  }

  carry({ method }: ClientRequest): void {
    this.#answersHead = method === "HEAD";
    this.#guard = new ResponseGuard();
  }

  passInterim(): void {
    this.#guard.passInterim();
  }

  /** @throws BadResponseError when two readers could frame the response differently */
  passResponse(response: IncomingMessage): Framing {
    let framing: Framing | undefined;
    try {
      framing = framingOf(response, this.#answersHead);
      this.#grant = framing.keepAliveGrant;
      return framing;
    } finally {
      this.#guard.passHead(framing);
    }
  }

  /** Feeds Node's parser, which copies bodies, from the shared buffer: the socket would allocate 64 KiB for each read. */
  #receive(bytes: Buffer): boolean {
    if (this.#guard.isComplete) {
      this.socket.destroy();
      return true;
    }
    this.#guard.push(bytes);
    this.socket.emit("data", bytes);
    this.#guard.endRead();
    return true;
  }

  onSilent(): void {
    if (!this.#guard.hasHead) this.onResponseTimeout?.();
  }
}
