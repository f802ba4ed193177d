import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { readHeaderName, type HeaderName } from "./header-name.js";

/** The client at the far end of a connection. */
export interface ClientPeer {
  /** IPv4 in dotted form, also on a dual-stack socket. */
  readonly address: string;
  /** Whether its X-Forwarded-* and Forwarded headers are trusted: kept, and appended to. */
  readonly isTrusted: boolean;
}

/** `Connection` cannot remove these: routing and framing depend on them. */
const END_TO_END: ReadonlySet<string> = new Set(["host", "content-length"]);

/** The usual values of `Connection`, which name no header. */
const ONE_OPTION = /^(close|keep-alive|upgrade)?$/i;

/** For an invalid name, which Node's parser does not let through. */
const NO_NAME: HeaderName = {
  lowerCase: "",
  isHopByHop: false,
  isClaim: false,
  isSetByUs: false,
  hasUnderscore: false,
};

/** Methods whose requests need no Content-Length if they have no body (RFC 9110 8.6). */
const BODILESS_METHODS: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "OPTIONS",
  "DELETE",
  "TRACE",
]);

/** The hop-by-hop names that `Connection: a, b` adds. */
function connectionOptions(
  connection: string | undefined,
): ReadonlySet<string> | undefined {
  if (
    connection === undefined ||
    connection === "keep-alive" ||
    ONE_OPTION.test(connection)
  )
    return undefined;
  const names = connection.split(",").map((name) => name.trim().toLowerCase());
  return new Set(names.filter((name) => !END_TO_END.has(name)));
}

/**
 * A request's headers for an upstream. Order, case, repetition and `Host` are kept; hop-by-hop headers and `Expect`, which
 * this server answers, are removed; X-Forwarded-For, -Proto and -Host are set, and X-Request-Id where the client gave none.
 *
 * @param keepsUnderscores whether names with underscores are forwarded, except those that resemble a header of the proxy's
 * @returns `[name, value, name, value …]`
 */
export function upstreamRequestHeaders(
  request: IncomingMessage,
  peer: ClientPeer,
  keepsUnderscores = false,
): string[] {
  const { headers: received, method = "GET" } = request;
  const named = connectionOptions(received.connection);
  const headers = endToEndHeaders(
    request.rawHeaders,
    ({ lowerCase, isClaim, hasUnderscore }) =>
      named?.has(lowerCase) !== true &&
      (!isClaim || peer.isTrusted) &&
      (!hasUnderscore || (keepsUnderscores && !isClaim)),
  );
  const claimed = (name: string) =>
    peer.isTrusted && named?.has(name) !== true ? received[name] : undefined;
  const chain = claimed("x-forwarded-for");
  headers.push(
    "x-forwarded-for",
    chain === undefined ? peer.address : `${String(chain)}, ${peer.address}`,
    "x-forwarded-proto",
    String(claimed("x-forwarded-proto") ?? "http"),
  );
  const host = claimed("x-forwarded-host") ?? received.host;
  if (host !== undefined) headers.push("x-forwarded-host", String(host));
  const hasId = received["x-request-id"] !== undefined;
  if (!hasId || named?.has("x-request-id") === true)
    headers.push("x-request-id", randomUUID());
  if (received["transfer-encoding"] !== undefined)
    headers.push("transfer-encoding", "chunked");
  else if (
    received["content-length"] === undefined &&
    !BODILESS_METHODS.has(method)
  )
    headers.push("content-length", "0");
  return headers;
}

/**
 * For heads that Node writes. After a Content-Length, Node re-encodes a Content-Disposition from UTF-8 to latin1, which
 * changes its bytes or throws. If there is such a header, Content-Length is moved to the end.
 */
export function withLengthLast<T extends readonly string[]>(
  raw: T,
): T | string[] {
  if (placeOf("content-disposition", raw) < 0) return raw;
  const at = placeOf("content-length", raw);
  return at < 0 ? raw : [...raw.toSpliced(at, 2), ...raw.slice(at, at + 2)];
}

/** The index of a header's first occurrence, by its name in lower case, or -1. */
function placeOf(wanted: string, raw: readonly string[], from = 0): number {
  for (let i = from; i < raw.length; i += 2) {
    const name = raw[i] ?? "";
    if (name.length === wanted.length && name.toLowerCase() === wanted)
      return i;
  }
  return -1;
}

/** What the client is told of a response's origin. */
export interface ResponseSource {
  servedBy: string;
  /** The value of `server-timing`; undefined for none. */
  timing?: string | undefined;
  /** The value of a `set-cookie` beside the upstream's own; undefined for none. */
  setCookie?: string | undefined;
}

/** The headers that are forwarded unchanged. */
function endToEndHeaders(
  raw: readonly string[],
  isForwarded: (name: HeaderName) => boolean,
): string[] {
  const headers: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? "";
    const known = readHeaderName(name) ?? NO_NAME;
    if (known.isHopByHop || known.isSetByUs || known.lowerCase === "expect")
      continue;
    if (isForwarded(known)) headers.push(name, raw[i + 1] ?? "");
  }
  return headers;
}

/**
 * A response's raw headers for the client: order, case and repetition kept, hop-by-hop headers removed, `x-served-by`
 * set, and a `server-timing` and `set-cookie` of the proxy's own added.
 *
 * @param raw `[name, value, name, value …]` as received
 */
export function clientResponseHeaders(
  raw: readonly string[],
  { servedBy, timing, setCookie }: ResponseSource,
): string[] {
  const headers: string[] = [];
  let connection: string | undefined;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? "";
    const value = raw[i + 1] ?? "";
    const { lowerCase, isHopByHop } = readHeaderName(name) ?? NO_NAME;
    if (lowerCase === "connection")
      connection = connection === undefined ? value : `${connection},${value}`;
    if (!isHopByHop && lowerCase !== "x-served-by") headers.push(name, value);
  }
  const named = connectionOptions(connection);
  const kept = named === undefined ? headers : without(headers, named);
  kept.push("x-served-by", servedBy);
  if (timing !== undefined) kept.push("server-timing", timing);
  if (setCookie !== undefined) kept.push("set-cookie", setCookie);
  return kept;
}

/** The lines of a head, in latin1. Their parts have passed a strict parser, so that none can end a line. */
export function headerLines(raw: readonly string[]): string {
  let lines = "";
  for (let i = 0; i + 1 < raw.length; i += 2)
    lines += `${raw[i] ?? ""}: ${raw[i + 1] ?? ""}\r\n`;
  return lines;
}

/** @param names in lower case */
export function without(raw: string[], names: ReadonlySet<string>): string[] {
  return raw.filter((_, i) => {
    const name = raw[i - (i % 2)] ?? "";
    return !names.has(name.toLowerCase());
  });
}

/** All values of one header, by its name in lower case. */
export function valuesOf(raw: readonly string[], wanted: string): string[] {
  return raw.filter(
    (_, i) => i % 2 === 1 && raw[i - 1]?.toLowerCase() === wanted,
  );
}

/** A registered name, IPv4 address or IP literal, and a port (RFC 9110 7.2, RFC 3986 3.2.2); empty is allowed. */
const HOST = /^(?:[\w.~!$&'()*+,;=%-]*|\[[\da-f:.v]+\])(?::\d*)?$/i;

export interface Refusal {
  status: number;
  error: string;
}

/**
 * Finds what Node's parser accepts although two servers could read it differently (request smuggling), or although it cannot
 * be forwarded unchanged.
 */
export function whyRefused(request: IncomingMessage): Refusal | undefined {
  if (!request.httpVersion.startsWith("1."))
    return { status: 505, error: "the only version supported is HTTP/1" };
  return whyHostRefused(request) ?? whyCodingRefused(request);
}

function whyHostRefused(request: IncomingMessage): Refusal | undefined {
  const { rawHeaders, headers, httpVersion, url = "" } = request;
  const at = placeOf("host", rawHeaders);
  if (at >= 0 && placeOf("host", rawHeaders, at + 2) >= 0)
    return { status: 400, error: "more than one Host header" };
  if (at < 0 && httpVersion !== "1.0")
    return { status: 400, error: "no Host header" };
  const host = headers.host ?? "";
  if (!HOST.test(host))
    return { status: 400, error: "Host is not a host, or host:port" };
  return isOfHost(url, host)
    ? undefined
    : { status: 400, error: "the request's URL and Host disagree" };
}

function whyCodingRefused(request: IncomingMessage): Refusal | undefined {
  const coding = request.headers["transfer-encoding"];
  if (coding === undefined) return undefined;
  if (request.httpVersion === "1.0")
    return { status: 400, error: "Transfer-Encoding needs HTTP/1.1" };
  return coding.toLowerCase() === "chunked"
    ? undefined
    : {
        status: 501,
        error: "the only Transfer-Encoding supported is chunked",
      };
}

const AUTHORITY = /^[a-z][a-z\d+.-]*:\/\/([^/?#]*)/i;

/** Whether a request's target names no host, or the same as `Host` (RFC 9112 3.2.2). */
function isOfHost(target: string, host: string): boolean {
  if (target.startsWith("/")) return true;
  const [, authority] = AUTHORITY.exec(target) ?? [];
  if (authority === undefined) return true;
  const withoutPort = (name: string) => name.toLowerCase().replace(/:80$/, "");
  return withoutPort(authority) === withoutPort(host);
}

export function hasBody(request: IncomingMessage): boolean {
  const length = request.headers["content-length"];
  return (
    request.headers["transfer-encoding"] !== undefined ||
    (length !== undefined && Number(length) > 0)
  );
}
