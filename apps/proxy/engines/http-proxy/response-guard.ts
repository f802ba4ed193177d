import { ChunkedBody } from "../../http/chunked-body.js";
import type { Framing } from "../../http/response-head.js";

const NOTHING = Buffer.alloc(0);
const HEAD_END = "\r\n\r\n";
/** The `H` of `HTTP/1.1`; Node's parser skips empty lines before it. */
const FIRST_BYTE = 0x48;

/** Follows a response's bytes beside Node's parser, which does not report bytes after the response's end. */
export class ResponseGuard {
  /** Whether any byte of the response has arrived. */
  hasBegun = false;
  /** Whether the final head has arrived. */
  hasHead = false;
  /** Bytes of a head that Node's parser has not reported. */
  #head: Buffer | undefined;
  #state: "head" | "body" | "complete" | "bad" = "head";
  /** Bytes left of a body of known length. */
  #left = 0;
  #chunks: ChunkedBody | undefined;

  /** Whether exactly one whole response has been read. */
  get isComplete(): boolean {
    return this.#state === "complete";
  }

  /** Call before Node's parser gets the bytes. @param bytes may change after `endRead` */
  push(bytes: Buffer): void {
    this.hasBegun = true;
    if (this.#state === "body") this.#readBody(bytes, 0);
    else if (this.#state === "head") this.#addToHead(bytes);
    else this.#state = "bad";
  }

  /** Node's parser has read all bytes that were pushed. */
  endRead(): void {
    if (this.#head !== undefined) this.#head = Buffer.from(this.#head);
  }

  /** Node's parser has read an interim head. */
  passInterim(): void {
    const { bytes, end } = this.#takeHead();
    if (end < bytes.length) this.#addToHead(bytes.subarray(end));
  }

  /** Node's parser has read the final head. @param framing undefined when it is not reliable */
  passHead(framing: Framing | undefined): void {
    this.hasHead = true;
    const { bytes, end } = this.#takeHead();
    if (framing?.keepAlive !== true || this.#state === "bad") {
      this.#state = "bad";
      return;
    }
    this.#state = "body";
    if (framing.bodyLength === "chunked") this.#chunks = new ChunkedBody();
    else this.#left = Number(framing.bodyLength);
    this.#readBody(bytes, end);
  }

  #addToHead(bytes: Buffer): void {
    if (this.#head !== undefined)
      this.#head = Buffer.concat([this.#head, bytes]);
    else if (bytes[0] === FIRST_BYTE) this.#head = bytes;
    else this.#state = "bad";
  }

  /** @returns the bytes so far, and where the head ends in them */
  #takeHead(): { bytes: Buffer; end: number } {
    const bytes = this.#head ?? NOTHING;
    this.#head = undefined;
    const end = bytes.indexOf(HEAD_END);
    if (end < 0) this.#state = "bad";
    return { bytes, end: end < 0 ? bytes.length : end + HEAD_END.length };
  }

  #readBody(bytes: Buffer, at: number): void {
    if (this.#chunks !== undefined) {
      this.#readChunks(this.#chunks, bytes, at);
      return;
    }
    this.#left -= bytes.length - at;
    if (this.#left === 0) this.#state = "complete";
    else if (this.#left < 0) this.#state = "bad";
  }

  #readChunks(chunks: ChunkedBody, bytes: Buffer, at: number): void {
    try {
      const end = chunks.read(bytes, at, []);
      if (chunks.isComplete)
        this.#state = end === bytes.length ? "complete" : "bad";
    } catch {
      this.#state = "bad";
    }
  }
}
