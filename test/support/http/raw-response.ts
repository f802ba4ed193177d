/** A response as received. */
export interface RawResponse {
  status: number;
  reason: string;
  /** `[name, value]` in order, case kept. */
  headers: [name: string, value: string][];
  /** The values of a header, by its name in lower case. */
  all: (name: string) => string[];
  /** Chunks are joined. */
  body: string;
  /** Whether the body was chunked. */
  chunked: boolean;
}

/**
 * Reads the first response in `text` (latin1).
 *
 * @param options.head whether the request was a HEAD
 * @param options.ended whether the connection was closed with a FIN, which ends a body without a length
 * @returns undefined while it is incomplete
 */
export function readResponse(
  text: string,
  options: { head?: boolean; ended?: boolean } = {},
): { response: RawResponse; rest: string } | undefined {
  const headEnd = text.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const [statusLine = "", ...lines] = text.slice(0, headEnd).split("\r\n");
  const [, code = "", reason = ""] =
    /^HTTP\/1\.1 (\d{3}) ?(.*)$/.exec(statusLine) ?? [];
  if (code === "") throw new Error(`not a status line: ${statusLine}`);
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const all = (name: string) =>
    headers.filter(([n]) => n.toLowerCase() === name).map(([, v]) => v);
  const status = Number(code);
  const body = readBody(text.slice(headEnd + 4), {
    none: options.head === true || status < 200 || /204|304/.test(code),
    chunked: all("transfer-encoding").includes("chunked"),
    length: all("content-length")[0],
    ended: options.ended === true,
  });
  if (body === undefined) return undefined;
  const { rest, ...content } = body;
  return { response: { status, reason, headers, all, ...content }, rest };
}

interface Framing {
  none: boolean;
  chunked: boolean;
  length: string | undefined;
  ended: boolean;
}

interface Body {
  body: string;
  chunked: boolean;
  rest: string;
}

function readBody(text: string, framing: Framing): Body | undefined {
  if (framing.none) return { body: "", chunked: false, rest: text };
  if (framing.chunked) return readChunks(text);
  if (framing.length === undefined)
    return framing.ended ? { body: text, chunked: false, rest: "" } : undefined;
  const length = Number(framing.length);
  return text.length < length
    ? undefined
    : {
        body: text.slice(0, length),
        chunked: false,
        rest: text.slice(length),
      };
}

function readChunks(text: string): Body | undefined {
  let at = 0;
  let body = "";
  for (;;) {
    const lineEnd = text.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const size = parseInt(text.slice(at, lineEnd), 16);
    const end = lineEnd + 2 + size;
    if (text.length < end + 2) return undefined;
    if (text.slice(end, end + 2) !== "\r\n")
      throw new Error("a chunk without its end, or trailers");
    if (size === 0) return { body, chunked: true, rest: text.slice(end + 2) };
    body += text.slice(lineEnd + 2, end);
    at = end + 2;
  }
}
