import {
  STATUS_CODES,
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from "node:http";
import type { Duplex } from "node:stream";
import { TCP_KEEP_ALIVE_MS } from "../engines/upstream-socket.js";

/** What clients may take. */
export interface ClientLimits {
  /** From a connection's, or a request's, first byte to the end of its head. */
  headersTimeoutMs: number;
  /** From a request's first byte to the end of its body; 0 sets no limit. */
  requestTimeoutMs: number;
  maxHeaderBytes: number;
}

/** Options that Node 20 does not know. */
interface LaterOptions {
  optimizeEmptyRequests: boolean;
  shouldUpgradeCallback: (request: IncomingMessage) => boolean;
}

const CHECK_INTERVAL_MS = 1000;

/** An HTTP/1.1 server as strict as Node's parser can be. What it cannot parse is answered and never forwarded. */
export function createStrictServer(limits: ClientLimits): Server {
  const options: ServerOptions & LaterOptions = {
    insecureHTTPParser: false,
    // Spares a request without a body the events of a stream.
    optimizeEmptyRequests: true,
    // A request for any other protocol, such as h2c, is served as if it had not asked (RFC 9110 7.8).
    shouldUpgradeCallback: asksForWebSocket,
    // The intake does: Node itself would go on reading requests behind the one that it refuses.
    requireHostHeader: false,
    noDelay: true,
    // A client that has vanished without a word keeps no place for ever.
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
    // HttpService ends idle connections: Node would set a timer with each response.
    keepAliveTimeout: 0,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: Math.min(
      CHECK_INTERVAL_MS,
      limits.headersTimeoutMs,
    ),
    maxHeaderSize: limits.maxHeaderBytes,
  };
  const server = createServer(options);
  // No header may be left out: Node would honour it in the framing and not show it. Their size is limited all the same.
  server.maxHeadersCount = 0;
  server.on("clientError", createUnparsedHandler());
  server.on("connect", (_request, socket: Duplex) => answerInTurn(socket, 405));
  return server;
}

export function asksForWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === "websocket";
}

/** What Node keeps on a socket: the response whose turn it is. */
type Answering = Duplex & { _httpMessage?: ServerResponse | null };

/** Answers what could not be parsed, once: Node tells of it again with each further piece. */
function createUnparsedHandler(): (
  err: NodeJS.ErrnoException,
  socket: Duplex,
) => void {
  const answered = new WeakSet<Duplex>();
  return (err, socket) => {
    // What follows a request that asked to close is not looked at, and its answer is still to come.
    if (err.code === "HPE_CLOSED_CONNECTION") return;
    if (err.code === "ECONNRESET") socket.destroy();
    if (socket.destroyed || answered.has(socket)) return;
    answered.add(socket);
    answerInTurn(socket, statusOfUnparsed(err));
  };
}

function statusOfUnparsed({ code }: NodeJS.ErrnoException): number {
  if (code === "HPE_HEADER_OVERFLOW") return 431;
  return code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400;
}

/** Answers behind the requests that came whole, and are still being answered. */
function answerInTurn(socket: Answering, status: number): void {
  const answering = socket._httpMessage;
  if (answering?.req.complete === true) {
    // Node itself has gone on to the next response, or closed, by then.
    answering.once("finish", () => answerInTurn(socket, status));
    return;
  }
  if (!socket.writable || answering?.headersSent === true) socket.destroy();
  else answerAndClose(socket, status);
}

function answerAndClose(socket: Duplex, status: number): void {
  socket.on("error", () => socket.destroy());
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`;
  socket.end(`${head}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () =>
    socket.destroy(),
  );
}
