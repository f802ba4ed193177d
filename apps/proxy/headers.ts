import type { IncomingHttpHeaders, IncomingMessage } from "node:http";

/** Meant for one connection only (RFC 9110 7.6.1), beside whatever `Connection` names. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Naming these in `Connection` must not make them vanish: routing and framing rest on them. */
const END_TO_END: ReadonlySet<string> = new Set(["host", "content-length"]);

/** What a client might claim about itself. */
const CLAIM = /^(x-forwarded-|forwarded$|x-real-ip$)/;

/** The names that `Connection: a, b` adds to the hop-by-hop ones. */
function connectionOptions(
  connection: string | undefined,
): ReadonlySet<string> | undefined {
  if (
    connection === undefined ||
    /^(close|keep-alive|upgrade)?$/i.test(connection)
  )
    return undefined;
  const names = connection.split(",").map((name) => name.trim().toLowerCase());
  return new Set(names.filter((name) => !END_TO_END.has(name)));
}

export interface ForwardedPolicy {
  /** Whether the peer's own X-Forwarded-* and Forwarded are believed: kept, and appended to. */
  isTrusted: (address: string) => boolean;
}

/**
 * The headers that an upstream is to see: hop-by-hop ones gone, `Expect` answered here and gone, X-Forwarded-For,
 * -Proto and -Host set. `Host` stays as it came.
 */
export function upstreamRequestHeaders(
  request: IncomingMessage,
  policy: ForwardedPolicy,
): IncomingHttpHeaders {
  const peer = (request.socket.remoteAddress ?? "").replace(/^::ffff:/, "");
  const trusted = policy.isTrusted(peer);
  const named = connectionOptions(request.headers.connection);
  const headers: IncomingHttpHeaders = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (HOP_BY_HOP.has(name) || name === "expect" || named?.has(name) === true)
      continue;
    if (!trusted && CLAIM.test(name)) continue;
    headers[name] = value;
  }
  if (request.headers["transfer-encoding"] !== undefined)
    headers["transfer-encoding"] = "chunked";
  const chain = headers["x-forwarded-for"];
  headers["x-forwarded-for"] =
    chain === undefined ? peer : `${String(chain)}, ${peer}`;
  headers["x-forwarded-proto"] ??= "http";
  if (request.headers.host !== undefined)
    headers["x-forwarded-host"] ??= request.headers.host;
  return headers;
}

/**
 * A response's raw headers as the client is to see them: order, case and repetition kept, hop-by-hop ones gone,
 * `x-served-by` ours.
 *
 * @param raw `[name, value, name, value …]` as received
 */
export function clientResponseHeaders(
  raw: readonly string[],
  servedBy: string,
): string[] {
  const named = connectionOptions(valuesOf(raw, "connection").join(","));
  const headers: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? "";
    const lowerCase = name.toLowerCase();
    if (
      HOP_BY_HOP.has(lowerCase) ||
      lowerCase === "x-served-by" ||
      named?.has(lowerCase) === true
    )
      continue;
    headers.push(name, raw[i + 1] ?? "");
  }
  headers.push("x-served-by", servedBy);
  return headers;
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
 * What Node's parser lets through although two servers could read it differently (request smuggling), or that we could
 * not pass on as it came.
 */
export function whyRefused(request: IncomingMessage): Refusal | undefined {
  if (!request.httpVersion.startsWith("1."))
    return { status: 505, error: "the only version supported is HTTP/1" };
  let hosts = 0;
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    if (request.rawHeaders[i]?.toLowerCase() === "host") hosts += 1;
  }
  if (hosts > 1) return { status: 400, error: "more than one Host header" };
  if (hosts === 0 && request.httpVersion !== "1.0")
    return { status: 400, error: "no Host header" };
  if (!HOST.test(request.headers.host ?? ""))
    return { status: 400, error: "Host is not a host, or host:port" };
  const transferEncoding = request.headers["transfer-encoding"];
  if (transferEncoding === undefined) return undefined;
  if (request.httpVersion === "1.0")
    return { status: 400, error: "Transfer-Encoding needs HTTP/1.1" };
  if (transferEncoding.toLowerCase() !== "chunked") {
    return {
      status: 501,
      error: "the only Transfer-Encoding supported is chunked",
    };
  }
  return undefined;
}

export function hasBody(request: IncomingMessage): boolean {
  const length = request.headers["content-length"];
  return (
    request.headers["transfer-encoding"] !== undefined ||
    (length !== undefined && Number(length) > 0)
  );
}
