import type { IncomingMessage, ServerResponse } from "node:http";
import {
  clientResponseHeaders,
  valuesOf,
  withLengthLast,
  without,
  type ResponseSource,
} from "./headers.js";
import type { BodyLength } from "./response-head.js";

/** Longer than the usual idle timeout of load balancers (60 s), so that they close first. */
export const KEEP_ALIVE_S = 65;
const KEEP_ALIVE = `timeout=${KEEP_ALIVE_S}`;
const LENGTH: ReadonlySet<string> = new Set(["content-length"]);
/** Up to this size, body and head are sent as one string: one write, where a Buffer would need a vector of two. */
export const ONE_WRITE_BYTES = 16_384;
const NOTHING = Buffer.alloc(0);

/** An upstream's head as received. */
export interface UpstreamHead {
  status: number;
  reason: string;
  rawHeaders: readonly string[];
}

/** Sets the response's head, which is sent with the next write. @throws when it has characters that HTTP forbids */
export function beginResponse(
  response: ServerResponse,
  head: UpstreamHead,
  source: ResponseSource,
): void {
  const all = clientResponseHeaders(head.rawHeaders, source);
  // RFC 9110 8.6
  const headers = head.status === 204 ? without(all, LENGTH) : all;
  if (response.shouldKeepAlive) headers.push("Keep-Alive", KEEP_ALIVE);
  response.writeHead(head.status, head.reason, withLengthLast(headers));
}

/**
 * Relays an upstream's response, with back-pressure. If the upstream cuts it short, the client's connection is cut as well,
 * so that half a body never looks whole.
 *
 * @throws before anything is sent, when the upstream's head cannot be relayed (forbidden characters, another protocol)
 */
export function relayResponse(
  {
    upstream,
    bodyLength,
  }: { upstream: IncomingMessage; bodyLength: BodyLength },
  response: ServerResponse,
  source: ResponseSource,
): void {
  if (upstream.httpVersionMajor !== 1)
    throw new Error(`not HTTP/1: ${upstream.httpVersion}`);
  // Node does not report it as an upgrade if `Connection` does not name one.
  if (upstream.statusCode === 101) throw new Error("an unrequested upgrade");
  beginResponse(response, headOf(upstream), source);
  upstream.on("error", () => cutOff(response));
  // A body's first bytes usually arrive with the head. By the next tick they were read, and can be sent with it.
  process.nextTick(() => {
    if (upstream.destroyed || response.destroyed) upstream.resume();
    else if (upstream.complete && upstream.readableLength === bodyLength)
      endWith(response, (upstream.read() as Buffer | null) ?? NOTHING);
    else relayPieces(upstream, response);
  });
}

function relayPieces(
  upstream: IncomingMessage,
  response: ServerResponse,
): void {
  // Send the head without waiting for the body.
  if (upstream.readableLength === 0) response.flushHeaders();
  upstream.on("data", (chunk: Buffer) => {
    if (response.write(chunk)) return;
    upstream.pause();
    response.once("drain", () => upstream.resume());
  });
  upstream.on("end", () => response.end());
}

/** Ends the response with the whole of its body, or the rest. */
export function endWith(response: ServerResponse, body: Buffer): void {
  if (body.length > ONE_WRITE_BYTES) response.end(body);
  else response.end(body.toString("latin1"), "latin1");
}

export function headOf(upstream: IncomingMessage): UpstreamHead {
  const { statusCode = 502, statusMessage = "", rawHeaders } = upstream;
  return { status: statusCode, reason: statusMessage, rawHeaders };
}

/** Ends the client's connection, so that a response that has begun never looks whole. */
export function cutOff(response: ServerResponse): void {
  const { socket } = response;
  if (socket === null) {
    // It still waits for its turn on a pipelined connection, where Node 24 would skip a destroyed response.
    response.once("socket", () => cutOff(response));
    return;
  }
  // For an HTTP/1.0 client an orderly end of the connection may complete the body.
  if (response.req.httpVersion === "1.0") socket.resetAndDestroy();
  response.destroy();
}

/** Relays 102 and the links of 103. Node's server answers 100 itself. HTTP/1.0 has no interim responses. */
export function relayInterim(
  response: ServerResponse,
  { status, rawHeaders }: Pick<UpstreamHead, "status" | "rawHeaders">,
): void {
  const { headersSent, destroyed, req } = response;
  if (headersSent || destroyed || req.httpVersion === "1.0") return;
  if (status === 102) response.writeProcessing();
  if (status === 103) sendEarlyHints(response, linksOf(rawHeaders));
}

function linksOf(rawHeaders: readonly string[]): string[] {
  return valuesOf(rawHeaders, "link").flatMap((value) =>
    value.split(/\s*,\s*(?=<)/),
  );
}

function sendEarlyHints(response: ServerResponse, link: string[]): void {
  try {
    response.writeEarlyHints({ link });
  } catch {
    // Node throws at a malformed link. Losing a hint is harmless: the response is still to come.
  }
}
