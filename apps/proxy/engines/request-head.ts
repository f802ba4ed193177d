import type { Attempt } from "./engine.js";
import type { Upstream } from "./upstreams.js";

/** What an attempt's head is made of. */
export type AttemptHead = Pick<Attempt, "request" | "headers" | "upstream">;

/**
 * A request's head as an upstream is to see it, in latin1. What is in it has been through Node's strict parser, so that
 * nothing in it can end a line; the path is as it came.
 */
export function requestHead(attempt: AttemptHead): string {
  const { method = "GET", url = "/" } = attempt.request;
  const headers = headersWithHost(attempt);
  let head = `${method} ${url} HTTP/1.1\r\n`;
  for (let i = 0; i + 1 < headers.length; i += 2)
    head += `${headers[i] ?? ""}: ${headers[i + 1] ?? ""}\r\n`;
  return `${head}Connection: keep-alive\r\n\r\n`;
}

/** The headers of an attempt, with the upstream's name for `Host` where the client, by HTTP/1.0, named none. */
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
