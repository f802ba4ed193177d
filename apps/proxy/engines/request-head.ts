import type { Attempt } from "./engine.js";
import { headerLines } from "../http/headers.js";
import type { Upstream } from "./upstreams.js";

/** The parts of an attempt that make its head. */
export type AttemptHead = Pick<Attempt, "request" | "headers" | "upstream">;

/** A request's head for an upstream, in latin1. The path is unchanged. */
export function requestHead(attempt: AttemptHead): string {
  const { method = "GET", url = "/" } = attempt.request;
  const lines = headerLines(headersWithHost(attempt));
  return `${method} ${url} HTTP/1.1\r\n${lines}Connection: keep-alive\r\n\r\n`;
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
