import { BadResponseError } from "./response-head.js";

/** 13 hex digits, so that every number is exact. Spaces around the size are rejected. */
const SIZE_LINE = /^([\dA-Fa-f]{1,13})(?:;[\t\x20-\x7e\x80-\xff]*)?\r\n$/;
/** The beginning of a size line. */
const PARTIAL_SIZE_LINE =
  /^(?:[\dA-Fa-f]{1,13}(?:;[\t\x20-\x7e\x80-\xff]*)?\r?)?$/;
const TRAILER_LINE =
  /^[!#$%&'*+\-.^_`|~\dA-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n$/;
const SIZE_LINE_LIMIT = 1024;
const TRAILERS_LIMIT = 16_384;
const CR = 0x0d;
const LF = 0x0a;

type Expected = "size" | "data" | "data-cr" | "data-lf" | "trailer" | "end";

/** Decodes a chunked body (RFC 9112 7.1) from pieces of any size. Extensions and trailers are checked and dropped. */
export class ChunkedBody {
  #expected: Expected = "size";
  /** Bytes left of the chunk. */
  #left = 0;
  /** An incomplete line. */
  #line = "";
  #trailerBytes = 0;

  get isComplete(): boolean {
    return this.#expected === "end";
  }

  /**
   * @param data receives the body's bytes, as views of `bytes`
   * @returns the position in `bytes` after the body, or after all of `bytes` if it goes on
   * @throws BadResponseError
   */
  read(bytes: Buffer, start: number, data: Buffer[]): number {
    let at = start;
    while (at < bytes.length && this.#expected !== "end") {
      switch (this.#expected) {
        case "data":
          at = this.#readData(bytes, at, data);
          break;
        case "data-cr":
          this.#expect(bytes[at++] === CR, "data-lf");
          break;
        case "data-lf":
          this.#expect(bytes[at++] === LF, "size");
          break;
        case "size":
        case "trailer":
          at = this.#readLine(bytes, at);
      }
    }
    return at;
  }

  #readData(bytes: Buffer, at: number, data: Buffer[]): number {
    const piece = bytes.subarray(at, at + this.#left);
    data.push(piece);
    this.#left -= piece.length;
    if (this.#left === 0) this.#expected = "data-cr";
    return at + piece.length;
  }

  #expect(isThere: boolean, next: Expected): void {
    if (!isThere) throw new BadResponseError("a chunk without its end");
    this.#expected = next;
  }

  #readLine(bytes: Buffer, at: number): number {
    const lineFeed = bytes.indexOf(LF, at);
    const next = lineFeed < 0 ? bytes.length : lineFeed + 1;
    const limit = this.#expected === "size" ? SIZE_LINE_LIMIT : TRAILERS_LIMIT;
    if (this.#line.length + this.#trailerBytes + next - at > limit)
      throw new BadResponseError("an oversized chunk line or trailer");
    const line = this.#line + bytes.toString("latin1", at, next);
    if (lineFeed < 0) {
      if (this.#expected === "size" && !PARTIAL_SIZE_LINE.test(line))
        throw new BadResponseError("a malformed chunk size");
      this.#line = line;
      return next;
    }
    this.#line = "";
    if (this.#expected === "size") this.#takeSize(line);
    else this.#takeTrailer(line);
    return next;
  }

  #takeSize(line: string): void {
    const [, size] = SIZE_LINE.exec(line) ?? [];
    if (size === undefined)
      throw new BadResponseError("a malformed chunk size");
    this.#left = parseInt(size, 16);
    this.#expected = this.#left === 0 ? "trailer" : "data";
  }

  #takeTrailer(line: string): void {
    if (line === "\r\n") {
      this.#expected = "end";
      return;
    }
    if (!TRAILER_LINE.test(line))
      throw new BadResponseError("a malformed trailer");
    this.#trailerBytes += line.length;
  }
}
