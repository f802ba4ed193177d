/**
 * Strict HTTP/1.1 framing (RFC 9112), independent of every parser under test. A message that two parsers could frame
 * differently is malformed. Texts are latin1.
 */

export class Malformed extends Error {}

export type Header = readonly [name: string, value: string];

export interface FramedRequest {
  method: string;
  target: string;
  version: string;
  headers: readonly Header[];
  /** Chunks are joined. */
  body: string;
  chunked: boolean;
  trailers: readonly Header[];
}

export interface FramedResponse {
  status: number;
  reason: string;
  headers: readonly Header[];
  body: string;
  /** What ends the body. */
  framing: "none" | "length" | "chunks" | "end";
  trailers: readonly Header[];
}

interface Read<T> {
  message: T;
  rest: string;
}

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const HEADER = new RegExp(
  `^(${TOKEN}):[ \\t]*((?:[\\x21-\\x7e\\x80-\\xff](?:[\\t\\x20-\\x7e\\x80-\\xff]*[\\x21-\\x7e\\x80-\\xff])?)?)[ \\t]*$`,
);
const REQUEST_LINE = new RegExp(
  `^(${TOKEN}) ([\\x21-\\x7e]+) (HTTP/1\\.[01])$`,
);
const STATUS_LINE = /^HTTP\/1\.[01] ([1-5]\d\d) ([\t\x20-\x7e\x80-\xff]*)$/;
const CHUNK_LINE = new RegExp(
  `^([0-9A-Fa-f]{1,15})(?:[ \\t]*;[ \\t]*${TOKEN}(?:=(?:${TOKEN}|"[^"\\r\\n\\0]*"))?)*$`,
);
const MAX_LINE = 1_000_000;

/** The values of a header. @param wanted its name in lower case */
export function valuesIn(headers: readonly Header[], wanted: string): string[] {
  return headers
    .filter(([name]) => name.toLowerCase() === wanted)
    .map(([, value]) => value);
}

export type RequestHead = Omit<FramedRequest, "body" | "trailers">;

/** Reads the head of the first request. @returns undefined while it is incomplete @throws Malformed */
export function readRequestHead(text: string): Read<RequestHead> | undefined {
  const head = readHead(text);
  if (head === undefined) return undefined;
  const [, method = "", target = "", version = ""] =
    REQUEST_LINE.exec(head.first) ?? fail("request line", head.first);
  const { headers } = head;
  const hosts = valuesIn(headers, "host").length;
  if (hosts > 1 || (hosts === 0 && version === "HTTP/1.1"))
    fail("number of Host headers", hosts);
  const codings = valuesIn(headers, "transfer-encoding");
  if (codings.length > 0 && version === "HTTP/1.0")
    fail("Transfer-Encoding on HTTP/1.0", codings.join());
  const chunked = checkFraming(headers);
  return {
    message: { method, target, version, headers, chunked },
    rest: head.rest,
  };
}

/** Reads the first request. @returns undefined while it is incomplete @throws Malformed */
export function readRequest(text: string): Read<FramedRequest> | undefined {
  const head = readRequestHead(text);
  if (head === undefined) return undefined;
  const { headers, chunked } = head.message;
  const body = chunked
    ? readChunks(head.rest)
    : readLength(
        head.rest,
        Number(valuesIn(headers, "content-length")[0] ?? 0),
      );
  if (body === undefined) return undefined;
  const { rest, ...content } = body;
  return { message: { ...head.message, ...content }, rest };
}

/**
 * Reads the first response, interim or final.
 *
 * @param options.method of the request @param options.ended whether the connection was closed with a FIN
 * @returns undefined while it is incomplete @throws Malformed
 */
export function readResponse(
  text: string,
  options: { method: string; ended: boolean },
): Read<FramedResponse> | undefined {
  const head = readHead(text);
  if (head === undefined) return undefined;
  const { headers } = head;
  const [, code = "", reason = ""] =
    STATUS_LINE.exec(head.first) ?? fail("status line", head.first);
  const status = Number(code);
  const chunked = checkFraming(headers);
  const [length] = valuesIn(headers, "content-length");
  const isBodiless = isWithoutBody(status);
  if (isBodiless && chunked) fail("Transfer-Encoding on status", code);
  if (isBodiless) checkNoLength(code, length);
  const finish = (
    framing: FramedResponse["framing"],
    content: Content | undefined,
  ): Read<FramedResponse> | undefined => {
    if (content === undefined) return undefined;
    const { body, trailers, rest } = content;
    return {
      message: { status, reason, headers, body, framing, trailers },
      rest,
    };
  };
  if (isBodiless || status === 304 || options.method === "HEAD")
    return finish("none", { body: "", trailers: [], rest: head.rest });
  if (chunked) return finish("chunks", readChunks(head.rest));
  if (length !== undefined)
    return finish("length", readLength(head.rest, Number(length)));
  return options.ended
    ? finish("end", { body: head.rest, trailers: [], rest: "" })
    : undefined;
}

/** RFC 9110 8.6 */
function checkNoLength(code: string, length: string | undefined): void {
  if (length !== undefined) fail("Content-Length on", code);
}

function isWithoutBody(status: number): boolean {
  return status < 200 || status === 204;
}

/**
 * Reads all responses in `text`.
 *
 * @param methods of the requests, in order; more responses than requests are malformed
 * @returns the complete responses, the remaining bytes, and why these are malformed, if they are
 */
export function readResponses(
  text: string,
  methods: readonly string[],
  ended: boolean,
): { responses: FramedResponse[]; rest: string; malformed?: string } {
  const responses: FramedResponse[] = [];
  let rest = text;
  let answered = 0;
  try {
    for (;;) {
      const method = methods[answered];
      if (method === undefined && rest !== "")
        fail("bytes without a request", rest.slice(0, 80));
      if (method === undefined || rest === "") break;
      const read = readResponse(rest, { method, ended });
      if (read === undefined) break;
      responses.push(read.message);
      rest = read.rest;
      if (read.message.status >= 200 || read.message.status === 101)
        answered += 1;
      if (read.message.status === 101) break;
    }
  } catch (err) {
    if (!(err instanceof Malformed)) throw err;
    return { responses, rest, malformed: err.message };
  }
  return { responses, rest };
}

interface Head {
  first: string;
  headers: Header[];
  rest: string;
}

function readHead(text: string): Head | undefined {
  const end = text.indexOf("\r\n\r\n");
  const lines = (end < 0 ? text : text.slice(0, end)).split("\r\n");
  // The last line may be incomplete, and may stop between CR and LF.
  if (end < 0 && lines.length > 0)
    lines[lines.length - 1] = (lines.at(-1) ?? "").replace(/\r$/, "");
  for (const line of lines)
    if (/[\r\n\0]/.test(line) || line.length > MAX_LINE) fail("line", line);
  if (end < 0) return undefined;
  const [first = "", ...rest] = lines;
  return { first, headers: rest.map(readHeader), rest: text.slice(end + 4) };
}

function readHeader(line: string): Header {
  const [, name = "", value = ""] = HEADER.exec(line) ?? fail("header", line);
  return [name, value];
}

/** @returns whether the body is chunked */
function checkFraming(headers: readonly Header[]): boolean {
  const codings = valuesIn(headers, "transfer-encoding");
  const lengths = valuesIn(headers, "content-length");
  if (
    codings.length > 1 ||
    lengths.length > 1 ||
    codings.length * lengths.length
  )
    fail("framing", [...codings, ...lengths].join(" | "));
  if (codings[0] !== undefined && codings[0].toLowerCase() !== "chunked")
    fail("Transfer-Encoding", codings[0]);
  if (lengths[0] !== undefined && !/^\d{1,15}$/.test(lengths[0]))
    fail("Content-Length", lengths[0]);
  return codings.length > 0;
}

interface Content {
  body: string;
  trailers: Header[];
  rest: string;
}

function readLength(text: string, length: number): Content | undefined {
  return text.length < length
    ? undefined
    : { body: text.slice(0, length), trailers: [], rest: text.slice(length) };
}

function readChunks(text: string): Content | undefined {
  const pieces: string[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = text.indexOf("\n", at);
    if (lineEnd < 0) return undefined;
    const line = text.slice(at, lineEnd);
    if (!line.endsWith("\r")) fail("chunk size", line);
    const [, size = ""] =
      CHUNK_LINE.exec(line.slice(0, -1)) ?? fail("chunk size", line);
    const begin = lineEnd + 1;
    const end = begin + parseInt(size, 16);
    if (end === begin) break;
    if (text.length > end && !"\r\n".startsWith(text.slice(end, end + 2)))
      fail("chunk's end", text.slice(end, end + 2));
    if (text.length < end + 2) return undefined;
    pieces.push(text.slice(begin, end));
    at = end + 2;
  }
  // Optional trailers and an empty line have the form of a head without its first line.
  const begin = text.indexOf("\n", at) - 1;
  const tail = text.slice(begin);
  const trailers = tail.startsWith("\r\n\r\n")
    ? { headers: [], rest: tail.slice(4) }
    : readHead(`trailers${tail}`);
  if (trailers === undefined) return undefined;
  return {
    body: pieces.join(""),
    trailers: trailers.headers,
    rest: trailers.rest,
  };
}

function fail(what: string, seen: string | number): never {
  throw new Malformed(`${what}: ${JSON.stringify(seen).slice(0, 200)}`);
}
