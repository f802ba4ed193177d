import { ChunkedBody } from "./chunked-body.js";
import {
  BadResponseError,
  parseResponseHead,
  parseStatusLine,
  type ResponseHead,
} from "./response-head.js";

const HEAD_END = "\r\n\r\n";
const PROTOCOL = "HTTP/1.";
/** Most heads are shorter. The limit keeps a long body from being decoded with its head. */
const LOOK_BYTES = 4096;

/** The result of one piece of a connection's bytes. */
export interface ResponsePart {
  /** Interim responses (1xx), in order. */
  interim: ResponseHead[];
  /** The final response's head, in the part that completes it. */
  head: ResponseHead | undefined;
  /** Views of the bytes that were pushed. */
  body: Buffer[];
  /** Instead of `body`, in latin1: a whole body that arrived in one piece with its head. */
  text: string;
  /** The response is complete. */
  ended: boolean;
  /** Bytes follow the complete response, so the connection cannot be trusted. */
  excess: boolean;
}

/** The unread bytes: `bytes` from `at` to `length`. */
interface Piece {
  readonly bytes: Buffer;
  readonly at: number;
  readonly length: number;
}

/** Reads one response (RFC 9112) from pieces of any size. No I/O; memory bounded by `maxHeadBytes`. */
export class ResponseParser {
  readonly #answersHead: boolean;
  readonly #maxHeadBytes: number;
  /** An incomplete head. */
  #partialHead = "";
  #head: ResponseHead | undefined;
  /** Bytes left of a body of known length. */
  #left = 0;
  #chunks: ChunkedBody | undefined;
  #ended = false;

  /** @param answersHead whether the request was a HEAD */
  constructor(options: { answersHead: boolean; maxHeadBytes: number }) {
    this.#answersHead = options.answersHead;
    this.#maxHeadBytes = options.maxHeadBytes;
  }

  /**
   * @param length the number of bytes in use
   * @throws BadResponseError, also for a 101, which no request asked for
   */
  push(bytes: Buffer, length = bytes.length): ResponsePart {
    const part: ResponsePart = {
      interim: [],
      head: undefined,
      body: [],
      text: "",
      ended: false,
      excess: false,
    };
    let at = 0;
    while (this.#head === undefined && at < length)
      at = this.#readHead({ bytes, at, length }, part);
    if (this.#head !== undefined && !this.#ended)
      at = this.#readBody(this.#head, { bytes, at, length }, part);
    part.ended = this.#ended;
    part.excess = this.#ended && at < length;
    return part;
  }

  /** The connection ended in an orderly way. @throws BadResponseError unless that completes the response */
  finish(): void {
    if (this.#ended) return;
    if (this.#head?.bodyLength !== "until-close")
      throw new BadResponseError("the connection ended before the response");
    this.#ended = true;
  }

  #readHead({ bytes, at, length }: Piece, part: ResponsePart): number {
    const seen = this.#partialHead.length;
    const look = Math.min(LOOK_BYTES, this.#maxHeadBytes - seen);
    const until = Math.min(length, at + look);
    const text = this.#partialHead + bytes.toString("latin1", at, until);
    const end = text.indexOf(HEAD_END, Math.max(0, seen - HEAD_END.length));
    if (end < 0) {
      if (text.length >= this.#maxHeadBytes)
        throw new BadResponseError("an oversized head");
      checkPartial(text, seen);
      this.#partialHead = text;
      return until;
    }
    this.#partialHead = "";
    this.#take(
      parseResponseHead(text.slice(0, end + 2), this.#answersHead),
      part,
    );
    const bodyAt = end + HEAD_END.length;
    const isWhole = until === length && text.length - bodyAt === this.#left;
    if (!isWhole) return at + bodyAt - seen;
    part.text = text.slice(bodyAt);
    this.#left = 0;
    return length;
  }

  #take(head: ResponseHead, part: ResponsePart): void {
    if (head.status === 101)
      throw new BadResponseError("an unrequested upgrade");
    if (head.status < 200) {
      part.interim.push(head);
      return;
    }
    part.head = head;
    this.#head = head;
    if (head.bodyLength === "chunked") this.#chunks = new ChunkedBody();
    else if (head.bodyLength !== "until-close") this.#left = head.bodyLength;
  }

  #readBody(head: ResponseHead, piece: Piece, part: ResponsePart): number {
    const { bytes, at, length } = piece;
    if (this.#chunks !== undefined) {
      const all = length === bytes.length ? bytes : bytes.subarray(0, length);
      const next = this.#chunks.read(all, at, part.body);
      this.#ended = this.#chunks.isComplete;
      return next;
    }
    const isOpen = head.bodyLength === "until-close";
    const next = isOpen ? length : Math.min(length, at + this.#left);
    if (next > at) part.body.push(bytes.subarray(at, next));
    if (isOpen) return next;
    this.#left -= next - at;
    this.#ended = this.#left === 0;
    return next;
  }
}

/**
 * Detects a malformed head at once, instead of after the response timeout.
 *
 * @param checked how much of `text` was checked before
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
