import type { IncomingMessage } from "node:http";
import { readHeaderName } from "./header-name.js";

/** Bytes from an upstream that are not a response, or that two readers could read differently. */
export class BadResponseError extends Error {}

/** The body's length in bytes, or how its end is delimited. */
export type BodyLength = number | "chunked" | "until-close";

/** Where a response ends, and whether its connection can be reused. */
export interface Framing {
  bodyLength: BodyLength;
  /** Whether the connection may carry another exchange. */
  keepAlive: boolean;
  /** The value of `Keep-Alive`, if any. */
  keepAliveGrant: string | undefined;
}

export interface ResponseHead extends Framing {
  status: number;
  reason: string;
  /** `[name, value, name, value …]` as received. */
  rawHeaders: string[];
}

const STATUS_LINE =
  /^HTTP\/1\.([01]) ([1-9]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/;
/** Readers differ on any other byte in a head, and on half a CRLF. */
const LINES = /^(?:[\t\x20-\x7e\x80-\xff]*\r\n)+$/;
/** 15 digits, so that every number is exact. */
const LENGTH = /^\d{1,15}$/;
const SPACE = 0x20;
const TAB = 0x09;

interface StatusLine {
  readonly minor: string;
  readonly status: number;
  readonly reason: string;
}

/** The headers that decide framing and reuse. */
interface FramingFields {
  contentLength?: string;
  transferEncoding?: string;
  connection?: string;
  keepAliveGrant?: string;
}

/**
 * Reads a response's head as strictly as RFC 9112 allows: no obs-fold, no bare CR or LF, no space before a
 * colon, one Content-Length or one `Transfer-Encoding: chunked` and never both.
 *
 * @param text latin1, from the status line to the CRLF of the last header line
 * @param answersHead whether the request was a HEAD
 * @throws BadResponseError
 */
export function parseResponseHead(
  text: string,
  answersHead: boolean,
): ResponseHead {
  if (!LINES.test(text))
    throw new BadResponseError("a forbidden character in the head");
  const lineEnd = text.indexOf("\r");
  const { minor, status, reason } = parseStatusLine(text.slice(0, lineEnd));
  const fields: FramingFields = {};
  const rawHeaders = parseHeaders(text, lineEnd + 2, fields);
  const isBodiless = answersHead || isWithoutBody(status);
  return { status, reason, rawHeaders, ...frame(fields, minor, isBodiless) };
}

/**
 * Reads the framing of a head that Node has parsed, just as strictly.
 *
 * @param answersHead whether the request was a HEAD
 * @throws BadResponseError
 */
export function framingOf(
  { statusCode = 0, httpVersionMinor, rawHeaders }: IncomingMessage,
  answersHead: boolean,
): Framing {
  const fields: FramingFields = {};
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const { lowerCase = "" } = readHeaderName(rawHeaders[i] ?? "") ?? {};
    note(fields, lowerCase, rawHeaders[i + 1] ?? "");
  }
  return frame(
    fields,
    httpVersionMinor === 0 ? "0" : "1",
    answersHead || isWithoutBody(statusCode),
  );
}

/** At this size the cache of status lines is cleared. */
const KNOWN_LIMIT = 100;
const known = new Map<string, StatusLine>();

/** Caches what it has read: status lines repeat. @throws BadResponseError */
export function parseStatusLine(line: string): StatusLine {
  const found = known.get(line);
  if (found !== undefined) return found;
  const read = readStatusLine(line);
  if (known.size >= KNOWN_LIMIT) known.clear();
  known.set(line, read);
  return read;
}

function readStatusLine(line: string): StatusLine {
  const match = STATUS_LINE.exec(line);
  if (match === null) throw new BadResponseError("no valid status line");
  const [, minor = "", status, reason = ""] = match;
  return { minor, status: Number(status), reason };
}

function parseHeaders(
  text: string,
  start: number,
  fields: FramingFields,
): string[] {
  const rawHeaders: string[] = [];
  let at = start;
  while (at < text.length) {
    const end = text.indexOf("\r", at);
    const colon = text.indexOf(":", at);
    const name = text.slice(at, colon);
    const read = colon < 0 || colon > end ? undefined : readHeaderName(name);
    if (read === undefined)
      throw new BadResponseError("a malformed header line");
    const value = trimmed(text, colon + 1, end);
    rawHeaders.push(name, value);
    note(fields, read.lowerCase, value);
    at = end + 2;
  }
  return rawHeaders;
}

/** Part of `text` without spaces and tabs around it. A regular expression would take quadratic time. */
function trimmed(text: string, start: number, end: number): string {
  let [from, to] = [start, end];
  while (from < to && isBlank(text.charCodeAt(from))) from += 1;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

function note(fields: FramingFields, name: string, value: string): void {
  switch (name) {
    case "content-length":
      if (fields.contentLength !== undefined || !LENGTH.test(value))
        throw new BadResponseError("more or less than one Content-Length");
      fields.contentLength = value;
      return;
    case "transfer-encoding":
      if (
        fields.transferEncoding !== undefined ||
        value.toLowerCase() !== "chunked"
      )
        throw new BadResponseError("a Transfer-Encoding other than chunked");
      fields.transferEncoding = value;
      return;
    case "connection":
      fields.connection =
        fields.connection === undefined
          ? value
          : `${fields.connection},${value}`;
      return;
    case "keep-alive":
      fields.keepAliveGrant = value;
  }
}

function isWithoutBody(status: number): boolean {
  return status < 200 || status === 204 || status === 304;
}

function frame(
  fields: FramingFields,
  minor: string,
  isBodiless: boolean,
): Framing {
  const bodyLength = bodyLengthOf(fields, minor);
  return {
    bodyLength: isBodiless ? 0 : bodyLength,
    keepAlive:
      (isBodiless || bodyLength !== "until-close") &&
      isPersistent(fields.connection, minor),
    keepAliveGrant: fields.keepAliveGrant,
  };
}

function bodyLengthOf(
  { contentLength, transferEncoding }: FramingFields,
  minor: string,
): BodyLength {
  if (transferEncoding === undefined)
    return contentLength === undefined ? "until-close" : Number(contentLength);
  if (contentLength !== undefined)
    throw new BadResponseError("Content-Length beside Transfer-Encoding");
  if (minor === "0")
    throw new BadResponseError("Transfer-Encoding needs HTTP/1.1");
  return "chunked";
}

function isPersistent(connection: string | undefined, minor: string): boolean {
  if (connection === undefined) return minor === "1";
  if (connection === "keep-alive") return true;
  return minor === "1"
    ? !/(^|,)\s*close\s*(,|$)/i.test(connection)
    : /(^|,)\s*keep-alive\s*(,|$)/i.test(connection) &&
        !/(^|,)\s*close\s*(,|$)/i.test(connection);
}
