import type { ClientRequest, IncomingMessage } from "node:http";
import type { OnReadOpts, Socket } from "node:net";
import type { FollowedConnection } from "../follow-attempt.js";
import { ResponseGuard } from "./response-guard.js";
import { framingOf, type Framing } from "../../http/response-head.js";

/**
 * A connection that http.ClientRequests use one after the other. One on which a byte arrives behind a complete response,
 * in the same piece or later, is destroyed: it would be taken for the next request's response.
 */
export class PooledConnection implements FollowedConnection {
  readonly socket: Socket;
  idleSince = 0;
  isConnected = false;
  /** Called when no byte has moved for too long, and its last request has no response yet. */
  onResponseTimeout: (() => void) | undefined;
  #answersHead = false;
  #guard = new ResponseGuard();
  #grant: string | undefined;

  /**
   * @param options.buffer what is read goes there first; connections may share it
   * @param options.onFree its request is complete, and it may carry another; `grant` is the value of the response's
   * `Keep-Alive`, if any
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
      // http.ClientRequest emits it when its response is complete and the connection may carry another request.
      .on("free", () => {
        if (!this.socket.writable || !this.#guard.isComplete)
          this.socket.destroy();
        else {
          // It keeps nothing of its last exchange.
          this.onResponseTimeout = undefined;
          onFree(this.#grant);
        }
      });
  }

  /** Whether any byte of a response to its last request has come. */
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

  /** To be told of its request's response. @throws BadResponseError when two readers could frame it differently */
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

  /** What is read goes straight to Node's parser, which copies bodies: the socket itself would allocate 64 KiB for each read. */
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

  /** To be told when no byte has moved for the time that a response may take. */
  onSilent(): void {
    if (!this.#guard.hasHead) this.onResponseTimeout?.();
  }
}
