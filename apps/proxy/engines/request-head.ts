import type { Attempt } from "./engine.js";
import type { Upstream } from "./upstreams.js";

/** The parts of an attempt that make its head. */
export type AttemptHead = Pick<Attempt, "request" | "headers" | "upstream">;

/**
 * A request's head for an upstream, in latin1. Its parts have passed Node's strict parser, so that none can end a line. The
 * path is unchanged.
 */
export function requestHead(attempt: AttemptHead): string {
  const { method = "GET", url = "/" } = attempt.request;
  const headers = headersWithHost(attempt);
  let head = `${method} ${url} HTTP/1.1\r\n`;
  for (let i = 0; i + 1 < headers.length; i += 2)
    head += `${headers[i] ?? ""}: ${headers[i + 1] ?? ""}\r\n`;
  return `${head}Connection: keep-alive\r\n\r\n`;
}

/** The headers of an attempt, with the upstream as `Host` if an HTTP/1.0 client sent none. */
export function headersWithHost({
  request,
  headers,
  upstream,
}: AttemptHead): readonly string[] {
  return request.headers.host === undefined
    ? ["host", authorityOf(upstream), ...headers]
    : headers;
}

function authorityOf({ host, port }: Upstream): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
