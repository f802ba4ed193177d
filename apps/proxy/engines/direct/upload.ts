import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { ONE_WRITE_BYTES } from "../../http/relay.js";

const LAST_CHUNK = "0\r\n\r\n";

/** Sends a request's body to an upstream, with back-pressure. */
export class Upload {
  readonly #request: IncomingMessage;
  readonly #socket: Socket;
  readonly #onSent: () => void;
  readonly #isChunked: boolean;
  /** The request's head until it has been sent. */
  #head = "";
  isSent = false;

  /** @param onSent called after the body's last byte was written */
  constructor(request: IncomingMessage, socket: Socket, onSent: () => void) {
    this.#request = request;
    this.#socket = socket;
    this.#onSent = onSent;
    this.#isChunked = request.headers["transfer-encoding"] !== undefined;
  }

  /** Whether the upstream could take more than the client has sent. */
  get waitsForClient(): boolean {
    return !this.isSent && !this.#socket.writableNeedDrain;
  }

  /** Sends `head` in one write with the body bytes that have arrived. */
  start(head: string): void {
    this.#head = head;
    this.#request.on("data", this.#send).on("end", this.#end);
    // By the next tick the request flows, and the body bytes that have arrived were emitted.
    process.nextTick(() => this.#sendHead());
  }

  /** The upstream can take more. */
  resume(): void {
    if (!this.isSent) this.#request.resume();
  }

  /** Reads and drops the rest of the body, so that the client's next request can be read. */
  drop(): void {
    this.#head = "";
    this.#request.off("data", this.#send).off("end", this.#end).resume();
  }

  readonly #send = (piece: Buffer): void => {
    if (!this.#write(piece)) this.#request.pause();
  };

  #sendHead(): void {
    if (this.#head === "") return;
    this.#socket.write(this.#head, "latin1");
    this.#head = "";
  }

  readonly #end = (): void => {
    this.#sendHead();
    if (this.#isChunked) this.#socket.write(LAST_CHUNK, "latin1");
    this.isSent = true;
    this.#onSent();
  };

  #write(piece: Buffer): boolean {
    if (!this.#isChunked) return this.#writePlain(piece);
    this.#socket.cork();
    this.#sendHead();
    this.#socket.write(`${piece.length.toString(16)}\r\n`, "latin1");
    this.#socket.write(piece);
    const mayGoOn = this.#socket.write("\r\n", "latin1");
    this.#socket.uncork();
    return mayGoOn;
  }

  #writePlain(piece: Buffer): boolean {
    const head = this.#head;
    if (head === "") return this.#socket.write(piece);
    this.#head = "";
    if (piece.length <= ONE_WRITE_BYTES)
      return this.#socket.write(head + piece.toString("latin1"), "latin1");
    this.#socket.cork();
    this.#socket.write(head, "latin1");
    const mayGoOn = this.#socket.write(piece);
    this.#socket.uncork();
    return mayGoOn;
  }
}
