import type { IncomingMessage, ServerResponse } from "node:http";
import {
  clientResponseHeaders,
  valuesOf,
  withLengthLast,
  without,
} from "./headers.js";
import type { BodyLength } from "./response-head.js";

/** Longer than the idle time of the load balancers that may stand in front (60 s), so that they close first. */
export const KEEP_ALIVE_S = 65;
const KEEP_ALIVE = `timeout=${KEEP_ALIVE_S}`;
const LENGTH: ReadonlySet<string> = new Set(["content-length"]);
/** Up to this size a body leaves with its head as one string: a single write, where a Buffer would take a vector of two. */
export const ONE_WRITE_BYTES = 16_384;
const NOTHING = Buffer.alloc(0);

/** An upstream's head as it came. */
export interface UpstreamHead {
  status: number;
  reason: string;
  rawHeaders: readonly string[];
}

/** Gives the response its head; it leaves with what is written next. @throws when it has characters that HTTP forbids */
export function beginResponse(
  response: ServerResponse,
  head: UpstreamHead,
  servedBy: string,
): void {
  const all = clientResponseHeaders(head.rawHeaders, servedBy);
  // RFC 9110 8.6
  const headers = head.status === 204 ? without(all, LENGTH) : all;
  if (response.shouldKeepAlive) headers.push("Keep-Alive", KEEP_ALIVE);
  response.writeHead(head.status, head.reason, withLengthLast(headers));
}

/**
 * Sends an upstream's response on, with back-pressure. If the upstream cuts it short, the client's connection is cut as
 * well, so that half a body never looks whole.
 *
 * @throws when the upstream's head cannot be sent on (characters that HTTP forbids, another protocol); nothing has been sent
 * then.
 */
export function relayResponse(
  {
    upstream,
    bodyLength,
  }: { upstream: IncomingMessage; bodyLength: BodyLength },
  response: ServerResponse,
  servedBy: string,
): void {
  if (upstream.httpVersionMajor !== 1)
    throw new Error(`not HTTP/1: ${upstream.httpVersion}`);
  // A 101 that Node takes for no upgrade, since `Connection` does not say so.
  if (upstream.statusCode === 101)
    throw new Error("an upgrade that nobody asked for");
  beginResponse(response, headOf(upstream), servedBy);
  upstream.on("error", () => cutOff(response));
  // A body's first bytes usually come with the head, and then go out with it: they have been read by this tick.
  process.nextTick(() => {
    if (upstream.destroyed || response.destroyed) upstream.resume();
    else if (upstream.complete && upstream.readableLength === bodyLength)
      endWith(response, readWhole(upstream));
    else relayPieces(upstream, response);
  });
}

function readWhole(upstream: IncomingMessage): Buffer {
  return (upstream.read() as Buffer | null) ?? NOTHING;
}

function relayPieces(
  upstream: IncomingMessage,
  response: ServerResponse,
): void {
  // If there is nothing yet, the head does not wait for it.
  if (upstream.readableLength === 0) response.flushHeaders();
  upstream.on("data", (chunk: Buffer) => {
    if (!response.write(chunk)) waitForDrain(upstream, response);
  });
  upstream.on("end", () => response.end());
}

function waitForDrain(
  upstream: IncomingMessage,
  response: ServerResponse,
): void {
  upstream.pause();
  response.once("drain", () => upstream.resume());
}

/** Sends the last of a body, or the whole of it. */
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
    // Its turn on a pipelined connection is still to come, and Node 24 would then pass over one that is destroyed.
    response.once("socket", () => cutOff(response));
    return;
  }
  // To an HTTP/1.0 client the connection's orderly end may be what completes the body.
  if (response.req.httpVersion === "1.0") socket.resetAndDestroy();
  response.destroy();
}

/** Sends 102 and the links of 103 on; 100 has been answered by our own server. HTTP/1.0 knows none of them. */
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
    // Node throws at a link that it takes for malformed. A hint is no loss: the response is still to come.
  }
}
