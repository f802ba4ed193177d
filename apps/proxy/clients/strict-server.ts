import {
  STATUS_CODES,
  createServer,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from "node:http";
import type { Duplex } from "node:stream";
import { ReceivedRequest } from "../http/received-request.js";
import { TCP_KEEP_ALIVE_MS } from "../engines/upstream-socket.js";

export interface ClientLimits {
  /** From the first byte of a connection or request to the end of the request's head. */
  headersTimeoutMs: number;
  /** From a request's first byte to the end of its body; 0 means no limit. */
  requestTimeoutMs: number;
  maxHeaderBytes: number;
}

const CHECK_INTERVAL_MS = 1000;

/** An HTTP/1.1 server as strict as Node's parser can be. It answers what it cannot parse, and never forwards it. */
export function createStrictServer(
  limits: ClientLimits,
): Server<typeof ReceivedRequest> {
  // Spares stream events for requests without a body. Node 20 ignores it.
  const later = { optimizeEmptyRequests: true };
  const options: ServerOptions<typeof ReceivedRequest> = {
    ...later,
    IncomingMessage: ReceivedRequest,
    insecureHTTPParser: false,
    // The intake checks it: Node would go on reading requests behind the one that it refuses.
    requireHostHeader: false,
    noDelay: true,
    // Detects clients that vanished without closing.
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
    // HttpService closes idle connections: Node would set a timer for each response.
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
  // No limit: Node would hide the headers beyond it, but still honour them in the framing. maxHeaderSize bounds them.
  server.maxHeadersCount = 0;
  server.on("clientError", createUnparsedHandler());
  server.on("connect", (_request, socket: Duplex) => answerInTurn(socket, 405));
  return server;
}

/** Node keeps the response whose turn it is on the socket. */
type Answering = Duplex & { _httpMessage?: ServerResponse | null };

/** Answers an unparsable request once: Node repeats the error with each further piece. */
function createUnparsedHandler(): (
  err: NodeJS.ErrnoException,
  socket: Duplex,
) => void {
  const answered = new WeakSet<Duplex>();
  return (err, socket) => {
    // Bytes behind a request with `Connection: close` are ignored; its response is still to come.
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

/** Answers after the complete requests that are still being answered. */
function answerInTurn(socket: Answering, status: number): void {
  const answering = socket._httpMessage;
  if (answering?.req.complete === true) {
    // By then Node has moved on to the next response, or closed the socket.
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
