import type { ClientRequest } from "node:http";
import type { Socket } from "node:net";
import type { UpstreamLimits } from "../engine.js";
import { connectUpstream } from "../upstream-socket.js";
import type { Upstream } from "../upstreams.js";
import { BadResponseError, type Framing } from "../../http/response-head.js";
import { ResponseParser } from "../../http/response-parser.js";

/**
 * A connection that http.ClientRequests use one after the other. The strict parser reads every response before Node's, which
 * reports no bytes after the response's end. Such a byte, in the same piece or later, ends the connection: it would be taken
 * for the next response.
 */
export class PooledConnection {
  readonly socket: Socket;
  idleSince = 0;
  isReused = false;
  onSilent: () => void = ignore;
  readonly #maxHeadBytes: number;
  #parser: ResponseParser | undefined;
  #framing: Framing | undefined;
  /** Whether exactly one whole response has been read. */
  #isComplete = false;

  constructor(upstream: Upstream, limits: UpstreamLimits) {
    this.#maxHeadBytes = limits.maxHeaderBytes;
    this.socket = connectUpstream(
      upstream,
      limits.connectTimeoutMs,
      (bytes, length) => this.#receive(bytes, length),
    );
    this.socket.on("error", () => this.socket.destroy());
  }

  carry({ method }: ClientRequest): void {
    this.#parser = new ResponseParser({
      answersHead: method === "HEAD",
      maxHeadBytes: this.#maxHeadBytes,
    });
    this.#framing = undefined;
    this.#isComplete = false;
  }

  /** The framing of the response that Node's parser reports. @throws BadResponseError when two readers could frame it differently */
  readFraming(): Framing {
    if (this.#framing === undefined)
      throw new BadResponseError("readers differ on where its head ends");
    return this.#framing;
  }

  /** Keeps nothing of the last exchange alive. @returns whether the connection may carry another */
  release(): boolean {
    this.onSilent = ignore;
    return (
      this.socket.writable &&
      this.#isComplete &&
      this.#framing?.keepAlive === true
    );
  }

  /** Feeds Node's parser, which copies bodies, from the shared buffer: the socket would allocate 64 KiB for each read. */
  #receive(bytes: Buffer, length: number): boolean {
    if (this.#isComplete || this.#parser === undefined) {
      this.socket.destroy();
      return true;
    }
    try {
      const { head, ended, excess } = this.#parser.push(bytes, length);
      this.#framing ??= head;
      this.#isComplete = ended && !excess;
    } catch (err) {
      this.socket.destroy(err as Error);
      return true;
    }
    this.socket.emit("data", bytes.subarray(0, length));
    return true;
  }
}

function ignore(): void {
  // An idle connection has nothing to time out.
}
