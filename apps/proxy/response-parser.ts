import { ChunkedBody } from "./chunked-body.js";
import {
  BadResponseError,
  parseResponseHead,
  parseStatusLine,
  type ResponseHead,
} from "./response-head.js";

const HEAD_END = "\r\n\r\n";
const PROTOCOL = "HTTP/1.";

/** What one piece of a connection's bytes brought. */
export interface ResponsePart {
  /** Interim responses (1xx), in order. */
  interim: ResponseHead[];
  /** The final response's, in the part that completes it. */
  head: ResponseHead | undefined;
  /** Views of the bytes that were pushed. */
  body: Buffer[];
  /** The response is complete. */
  ended: boolean;
  /** Bytes follow the complete response: nobody asked for them, and the connection cannot be trusted. */
  excess: boolean;
}

/** Reads one response (RFC 9112), wherever it is cut into pieces. No I/O; memory bounded by `maxHeadBytes`. */
export class ResponseParser {
  readonly #answersHead: boolean;
  readonly #maxHeadBytes: number;
  /** A head that has not come to its end. */
  #partialHead = "";
  #head: ResponseHead | undefined;
  /** Bytes left of a body whose length is known. */
  #left = 0;
  #chunks: ChunkedBody | undefined;
  #ended = false;

  /** @param answersHead whether the request was a HEAD */
  constructor(options: { answersHead: boolean; maxHeadBytes: number }) {
    this.#answersHead = options.answersHead;
    this.#maxHeadBytes = options.maxHeadBytes;
  }

  /** @throws BadResponseError, also for a 101: nobody asked to switch protocols */
  push(bytes: Buffer): ResponsePart {
    const part: ResponsePart = {
      interim: [],
      head: undefined,
      body: [],
      ended: false,
      excess: false,
    };
    let at = 0;
    while (this.#head === undefined && at < bytes.length)
      at = this.#readHead(bytes, at, part);
    if (this.#head !== undefined && !this.#ended)
      at = this.#readBody(this.#head, bytes, { at, part });
    part.ended = this.#ended;
    part.excess = this.#ended && at < bytes.length;
    return part;
  }

  /** The connection has ended in order. @throws BadResponseError unless that completes the response */
  finish(): void {
    if (this.#ended) return;
    if (this.#head?.bodyLength !== "until-close")
      throw new BadResponseError("the connection ended before the response");
    this.#ended = true;
  }

  #readHead(bytes: Buffer, at: number, part: ResponsePart): number {
    const seen = this.#partialHead.length;
    const limit = this.#maxHeadBytes - seen;
    const text =
      this.#partialHead +
      bytes.toString("latin1", at, Math.min(bytes.length, at + limit));
    const end = text.indexOf(HEAD_END, Math.max(0, seen - HEAD_END.length));
    if (end < 0) {
      if (text.length >= this.#maxHeadBytes)
        throw new BadResponseError("an oversized head");
      checkPartial(text, seen);
      this.#partialHead = text;
      return bytes.length;
    }
    this.#partialHead = "";
    this.#take(
      parseResponseHead(text.slice(0, end + 2), this.#answersHead),
      part,
    );
    return at + end + HEAD_END.length - seen;
  }

  #take(head: ResponseHead, part: ResponsePart): void {
    if (head.status === 101)
      throw new BadResponseError("an upgrade that nobody asked for");
    if (head.status < 200) {
      part.interim.push(head);
      return;
    }
    part.head = head;
    this.#head = head;
    if (head.bodyLength === "chunked") this.#chunks = new ChunkedBody();
    else if (head.bodyLength !== "until-close") this.#left = head.bodyLength;
  }

  #readBody(
    head: ResponseHead,
    bytes: Buffer,
    to: { at: number; part: ResponsePart },
  ): number {
    const { at, part } = to;
    if (this.#chunks !== undefined) {
      const next = this.#chunks.read(bytes, at, part.body);
      this.#ended = this.#chunks.isComplete;
      return next;
    }
    const isOpen = head.bodyLength === "until-close";
    const next = isOpen
      ? bytes.length
      : Math.min(bytes.length, at + this.#left);
    if (next > at) part.body.push(bytes.subarray(at, next));
    if (isOpen) return next;
    this.#left -= next - at;
    this.#ended = this.#left === 0;
    return next;
  }
}

/**
 * What cannot become a head any more is told at once, rather than after the time for an answer.
 *
 * @param checked how much of `text` has been through this before
 */
function checkPartial(text: string, checked: number): void {
  if (!text.startsWith(PROTOCOL) && !PROTOCOL.startsWith(text))
    throw new BadResponseError("no HTTP/1 response");
  for (
    let lineFeed = text.indexOf("\n", checked);
    lineFeed >= 0;
    lineFeed = text.indexOf("\n", lineFeed + 1)
  )
    if (text[lineFeed - 1] !== "\r") throw new BadResponseError("a bare LF");
  const lineEnd = text.indexOf("\r\n");
  if (lineEnd >= 0) parseStatusLine(text.slice(0, lineEnd));
}
