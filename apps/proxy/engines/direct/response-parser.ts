import { ChunkedBody } from "../../http/chunked-body.js";
import {
  BadResponseError,
  parseResponseHead,
  parseStatusLine,
  type ResponseHead,
} from "../../http/response-head.js";

const HEAD_END = "\r\n\r\n";
const PROTOCOL = "HTTP/1.";
/** Most heads are shorter; a long body is not to be decoded along with its head. */
const LOOK_BYTES = 4096;

/** What one piece of a connection's bytes brought. */
export interface ResponsePart {
  /** Interim responses (1xx), in order. */
  interim: ResponseHead[];
  /** The final response's, in the part that completes it. */
  head: ResponseHead | undefined;
  /** Views of the bytes that were pushed. */
  body: Buffer[];
  /** In place of `body`, in latin1: a whole one that came in one piece with its head, and was decoded with it. */
  text: string;
  /** The response is complete. */
  ended: boolean;
  /** Bytes follow the complete response: nobody asked for them, and the connection cannot be trusted. */
  excess: boolean;
}

/** What has come: `bytes` from `at` to `length`. */
interface Piece {
  readonly bytes: Buffer;
  readonly at: number;
  readonly length: number;
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

  /**
   * @param length how much of `bytes` there is
   * @throws BadResponseError, also for a 101: nobody asked to switch protocols
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

  /** The connection has ended in order. @throws BadResponseError unless that completes the response */
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
