import type { IncomingMessage } from "node:http";
import type { Upstream } from "./upstreams.js";

/** Methods of which a request without a body needs no Content-Length to say so (RFC 9110 8.6). */
const BODILESS_METHODS: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "OPTIONS",
  "DELETE",
  "TRACE",
]);

/**
 * A request's head as an upstream is to see it, in latin1. What is in it has been through Node's strict parser, so that
 * nothing in it can end a line; the path is as it came.
 *
 * @param request its `headers` are already those that the upstream is to see
 */
export function requestHead(
  request: IncomingMessage,
  upstream: Upstream,
): string {
  const { method = "GET", url = "/", headers } = request;
  let head = `${method} ${url} HTTP/1.1\r\n`;
  if (headers.host === undefined) head += `host: ${authorityOf(upstream)}\r\n`;
  for (const name in headers) {
    const value = headers[name];
    if (typeof value === "string") head += `${name}: ${value}\r\n`;
    else for (const each of value ?? []) head += `${name}: ${each}\r\n`;
  }
  if (
    headers["content-length"] === undefined &&
    headers["transfer-encoding"] === undefined &&
    !BODILESS_METHODS.has(method)
  )
    head += "content-length: 0\r\n";
  return `${head}Connection: keep-alive\r\n\r\n`;
}

function authorityOf({ host, port }: Upstream): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
