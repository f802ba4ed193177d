import { connect, type Socket } from "node:net";
import { onCleanup } from "../cleanup.js";
import { readResponse, type RawResponse } from "./raw-response.js";
import { waitFor } from "../wait-for.js";

/** How a connection ended: in order (FIN), or cut (RST). */
export type Ending = "ended" | "reset";

/** A TCP client that says exactly what the test wants and shows exactly what came back. */
export class RawClient {
  readonly socket: Socket;
  #unread = "";
  #bytes = 0;
  #ending: Ending | undefined;

  /**
   * @param options.reading false leaves what arrives unread until `resume()`
   * @param options.atEnd takes what is to be done at the end of whatever it is part of; the current test unless told
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

  /** What has arrived and not been taken by `response()`, as latin1. */
  get unread(): string {
    return this.#unread;
  }

  /** How many bytes have arrived. */
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

  /** Reads on, counting what arrives and keeping none of it. */
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

  /** Waits for the next response in full, and takes it off what has arrived. */
  async response(options: { head?: boolean } = {}): Promise<RawResponse> {
    const read = await waitFor("a whole response", () => {
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

  /** Waits until what has arrived contains `text`. */
  async sees(text: string): Promise<void> {
    await waitFor(`${JSON.stringify(text)} from the proxy`, () =>
      this.#unread.includes(text),
    );
  }

  async closed(): Promise<Ending> {
    return await waitFor("the connection's end", () => this.#ending);
  }
}
