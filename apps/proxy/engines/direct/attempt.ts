import type { CopyBuffers } from "./copy-buffers.js";
import type { ConnectionUser, DirectConnection } from "./connection.js";
import type { Attempt, FailureKind, Ongoing } from "../engine.js";
import {
  beginResponse,
  cutOff,
  endWith,
  ONE_WRITE_BYTES,
  relayInterim,
} from "../../http/relay.js";
import { requestHead } from "../request-head.js";
import type { ResponseHead } from "../../http/response-head.js";
import {
  ResponseParser,
  type ResponsePart,
} from "../../http/response-parser.js";
import { Upload } from "./upload.js";
import type { UpstreamConnections } from "../upstream-connections.js";
import { ConnectTimeoutError } from "../upstream-socket.js";

/** One attempt on one connection, from the request's first byte to the response's last. */
export class DirectAttempt implements ConnectionUser, Ongoing {
  readonly #attempt: Attempt;
  readonly #pool: UpstreamConnections<DirectConnection>;
  readonly #connection: DirectConnection;
  readonly #parser: ResponseParser;
  readonly #copies: CopyBuffers;
  #upload: Upload | undefined;
  /** The final response's head, once it has been relayed. */
  #head: ResponseHead | undefined;
  #hasAnswered = false;
  #isComplete = false;
  /** The connection no longer belongs to this attempt. */
  #isOver = false;

  constructor(
    attempt: Attempt,
    pool: UpstreamConnections<DirectConnection>,
    options: { maxHeaderBytes: number; copies: CopyBuffers },
  ) {
    this.#attempt = attempt;
    this.#pool = pool;
    this.#copies = options.copies;
    this.#parser = new ResponseParser({
      answersHead: attempt.request.method === "HEAD",
      maxHeadBytes: options.maxHeaderBytes,
    });
    this.#connection = pool.take(attempt.freshConnection);
    this.#connection.carry(this);
  }

  abandon(): void {
    this.#drop();
  }

  onConnect(): void {
    const { request, hasBody } = this.#attempt;
    const { socket } = this.#connection;
    const head = requestHead(this.#attempt);
    if (!hasBody) {
      socket.write(head, "latin1");
      return;
    }
    this.#upload = new Upload(request, socket, () => this.#leaveIfDone());
    this.#upload.start(head);
  }

  onBytes(bytes: Buffer, length: number): boolean {
    if (this.#isComplete) {
      // Bytes after a complete response, while the upload continues.
      this.#drop();
      return true;
    }
    this.#hasAnswered = true;
    try {
      return this.#relay(this.#parser.push(bytes, length));
    } catch (err) {
      this.#fail("bad-response", err as Error);
      return true;
    }
  }

  onDrain(): void {
    this.#upload?.resume();
  }

  onTimeout(): void {
    if (this.#isComplete) this.#drop();
    else if (this.#head === undefined && this.#upload?.waitsForClient !== true)
      this.#fail("response-timeout", new Error("no response in time"));
  }

  onEnd(): void {
    if (this.#isComplete) {
      this.#drop();
      return;
    }
    try {
      this.#parser.finish();
    } catch (err) {
      this.#fail(this.#hasAnswered ? "bad-response" : "reset", err as Error);
      return;
    }
    this.#attempt.response.end();
    this.#drop();
  }

  onClose(cause: Error): void {
    if (this.#isComplete) this.#drop();
    else this.#fail(this.#classify(cause), cause);
  }

  #classify(cause: Error): FailureKind {
    if (cause instanceof ConnectTimeoutError) return "connect-timeout";
    if (!this.#connection.isConnected) return "unreachable";
    return this.#hasAnswered ? "bad-response" : "reset";
  }

  /** @returns whether the client can take more */
  #relay(part: ResponsePart): boolean {
    const { response, readSource, discards, onResponse } = this.#attempt;
    for (const interim of part.interim) relayInterim(response, interim);
    if (part.head !== undefined) {
      if (discards?.(part.head.status) === true) {
        this.#discard(part);
        return true;
      }
      beginResponse(response, part.head, readSource());
      this.#head = part.head;
      onResponse(part.head.status, part.head.rawHeaders);
    }
    if (part.ended) {
      this.#complete(part);
      return true;
    }
    if (part.body.length > 0) return this.#write(part.body);
    // Send the head without waiting for the body.
    if (part.head !== undefined) response.flushHeaders();
    return true;
  }

  #write(body: readonly Buffer[]): boolean {
    const { response } = this.#attempt;
    const takesMore = this.#copies.lend(body, (copy, giveBack) =>
      response.write(copy, giveBack),
    );
    if (takesMore) return true;
    response.once("drain", () => this.#connection.socket.resume());
    return false;
  }

  /** The connection is kept if the whole response is here. */
  #discard({ head, ended, excess }: ResponsePart): void {
    this.#head = head;
    this.#isComplete = ended;
    if (!ended || excess || head?.keepAlive !== true) this.#drop();
    else this.#leaveIfDone();
    this.#attempt.onDiscarded();
  }

  #complete({ body, text, excess }: ResponsePart): void {
    const { response } = this.#attempt;
    this.#isComplete = true;
    const [only] = body;
    if (only === undefined) response.end(text, "latin1");
    else if (body.length === 1 && only.length <= ONE_WRITE_BYTES)
      endWith(response, only);
    else
      this.#copies.lend(body, (copy, giveBack) => response.end(copy, giveBack));
    if (excess || this.#head?.keepAlive !== true) this.#drop();
    else this.#leaveIfDone();
  }

  /** Gives the connection back once request and response are complete. */
  #leaveIfDone(): void {
    if (!this.#isComplete || this.#upload?.isSent === false) return;
    this.#isOver = true;
    this.#connection.release();
    this.#pool.giveBack(this.#connection, this.#head?.keepAliveGrant);
  }

  #fail(kind: FailureKind, cause: Error): void {
    const { request, response, onCut, onFailure } = this.#attempt;
    const { isReused: reusedConnection } = this.#connection;
    this.#drop();
    const hasClient = !request.socket.destroyed;
    if (this.#head !== undefined) {
      cutOff(response);
      if (hasClient) onCut(cause);
    } else if (hasClient) onFailure({ kind, reusedConnection, cause });
  }

  #drop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#connection.destroy();
    this.#upload?.drop();
  }
}
