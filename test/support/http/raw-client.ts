import { connect, type Socket } from "node:net";
import { onCleanup } from "../cleanup.js";
import { readResponse, type RawResponse } from "./raw-response.js";
import { waitFor } from "../wait-for.js";

/** How a connection ended: `ended` by a FIN, `reset` by an RST. */
export type Ending = "ended" | "reset";

/** A TCP client that sends exact bytes and exposes the exact bytes received. */
export class RawClient {
  readonly socket: Socket;
  #unread = "";
  #bytes = 0;
  #ending: Ending | undefined;

  /**
   * @param options.reading false: read nothing until `resume()`
   * @param options.atEnd registers the clean-up (default: after the current test)
   */
  constructor(
    port: number,
    options: { reading?: boolean; atEnd?: (cleanUp: () => void) => void } = {},
  ) {
    this.socket = connect({
      port,
      host: "127.0.0.1",
      noDelay: true,
      allowHalfOpen: true,
    });
    this.socket.on("end", () => (this.#ending ??= "ended"));
    this.socket.on("error", () => (this.#ending ??= "reset"));
    this.socket.on("close", () => (this.#ending ??= "reset"));
    const { atEnd = onCleanup } = options;
    atEnd(() => void this.socket.destroy());
    if (options.reading !== false) this.resume();
  }

  /** Received text that `response()` has not consumed, as latin1. */
  get unread(): string {
    return this.#unread;
  }

  /** The number of bytes received. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Undefined while it is open. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  resume(): void {
    if (this.socket.listenerCount("data") === 0) {
      this.socket.on("data", (chunk: Buffer) => {
        this.#unread += chunk.toString("latin1");
        this.#bytes += chunk.length;
      });
    }
    this.socket.resume();
  }

  /** Counts further bytes without storing them. */
  discard(): void {
    this.socket.on("data", (chunk: Buffer) => {
      this.#bytes += chunk.length;
    });
  }

  /** Sends lines, each ended by CRLF: `send("GET / HTTP/1.1", "Host: x", "", "")`. */
  send(...lines: string[]): this {
    this.socket.write(lines.join("\r\n"), "latin1");
    return this;
  }

  /** Sends a GET without a body. */
  get(path: string, ...headers: string[]): this {
    return this.send(`GET ${path} HTTP/1.1`, "Host: test", ...headers, "", "");
  }

  /** Waits for the next complete response and consumes it. */
  async response(options: { head?: boolean } = {}): Promise<RawResponse> {
    const read = await waitFor("a complete response", () => {
      const ended = this.#ending === "ended";
      const found = readResponse(this.#unread, { ...options, ended });
      if (found === undefined && this.#ending !== undefined)
        throw new Error(
          `${this.#ending} with: ${JSON.stringify(this.#unread)}`,
        );
      return found;
    });
    this.#unread = read.rest;
    return read.response;
  }

  /** Waits until the unread text contains `text`. */
  async sees(text: string): Promise<void> {
    await waitFor(`${JSON.stringify(text)} from the proxy`, () =>
      this.#unread.includes(text),
    );
  }

  async closed(): Promise<Ending> {
    return await waitFor("the connection's end", () => this.#ending);
  }
}
