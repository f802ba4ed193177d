import {
  ServerResponse,
  type IncomingHttpHeaders,
  type Server,
} from "node:http";
import { Socket } from "node:net";
import { createClients, type ClientConnection } from "./client-connection.js";
import { ConnectionLimit, type ConnectionCount } from "./connection-limit.js";
import type { Picked } from "../dealing/side-picker.js";
import type { Engine } from "../engines/engine.js";
import { refuse } from "../exchange/answers.js";
import {
  Exchange,
  type ExchangeContext,
  type Message,
} from "../exchange/exchange.js";
import type { ReceivedRequest } from "../http/received-request.js";
import {
  upstreamRequestHeaders,
  whyRefused,
  type Refusal,
} from "../http/headers.js";
import { Pipeline } from "./pipeline.js";
import type { UpgradeAttempt } from "../engines/tunnel.js";
import { WaitingClient } from "../engines/waiting-client.js";

const TOO_MANY_CONNECTIONS: Refusal = {
  status: 503,
  error: "too many connections",
};

export interface IntakeContext extends ExchangeContext {
  /** Whether a peer's X-Forwarded-* and Forwarded headers are trusted. */
  isTrusted: (address: string) => boolean;
  /** Whether request headers with underscores in their names are forwarded. */
  keepsUnderscores: boolean;
  /** @param now monotonic ms */
  pick: (headers: IncomingHttpHeaders, now: number) => Picked;
  engine: Engine;
  tunnels: Engine<UpgradeAttempt>;
  maxConnections: number;
  connections: ConnectionCount;
}

/** Takes a server's requests, refuses malformed ones, and forwards the others to the side that is picked. */
export function serveRequests(
  server: Server<typeof ReceivedRequest>,
  context: IntakeContext,
): void {
  const { maxConnections, connections } = context;
  const limit = new ConnectionLimit(server, maxConnections, connections);
  const intake = new Intake(context, limit);
  server.on("request", (request, response) => intake.take(request, response));
  server.on("upgrade", (request, stream, head) => {
    // Without a listener, a reset before the 101 would end the process.
    stream.on("error", () => stream.destroy());
    if (stream instanceof Socket) intake.takeUpgrade(request, stream, head);
    else stream.destroy();
  });
}

class Intake {
  readonly #context: IntakeContext;
  readonly #limit: ConnectionLimit;
  readonly #clientOf: ReturnType<typeof createClients>;

  constructor(context: IntakeContext, limit: ConnectionLimit) {
    this.#context = context;
    this.#limit = limit;
    this.#clientOf = createClients(context.isTrusted);
  }

  take(request: ReceivedRequest, response: ServerResponse): void {
    const client = this.#admit(request, response);
    if (client === undefined) return;
    const { engine } = this.#context;
    const start = () => this.#exchange(client, { request, response, engine });
    // No earlier request on the connection waits for its response.
    if (response.socket !== null) {
      start();
      return;
    }
    client.pipeline ??= new Pipeline(request.socket);
    client.pipeline.add(response, start);
  }

  takeUpgrade(request: ReceivedRequest, socket: Socket, head: Buffer): void {
    const response = bindResponse(request, socket);
    if (response === undefined) return;
    const waiting = new WaitingClient(socket, head);
    const client = this.#admit(request, response);
    if (client === undefined) return;
    const { tunnels } = this.#context;
    const engine: Pick<Engine, "forward"> = {
      forward: (attempt) => tunnels.forward({ ...attempt, client: waiting }),
    };
    this.#exchange(client, { request, response, engine });
  }

  #exchange(
    client: ClientConnection,
    { request, response, engine }: Omit<Message, "headers">,
  ): void {
    const now = performance.now();
    const { keepsUnderscores } = this.#context;
    const picked = this.#context.pick(request.headers, now);
    const headers = upstreamRequestHeaders(request, client, keepsUnderscores);
    const message = { request, response, headers, engine };
    new Exchange(this.#context, { picked, startedAt: now }, message);
  }

  /** Undefined for a request that must not be forwarded; it has been answered where possible. */
  #admit(
    request: ReceivedRequest,
    response: ServerResponse,
  ): ClientConnection | undefined {
    response.on("error", destroyFailed);
    const { socket } = request;
    const client = this.#clientOf(socket);
    if (client === undefined) {
      socket.destroy();
      return undefined;
    }
    if (client.isRefused) return undefined;
    const refusal = this.#limit.isExceededBy(socket)
      ? TOO_MANY_CONNECTIONS
      : whyRefused(request);
    if (refusal === undefined) return client;
    client.isRefused = true;
    refuse(response, refusal.status, refusal.error);
    return undefined;
  }
}

/** A client that leaves during its response is an outcome, not an error. */
function destroyFailed(this: ServerResponse): void {
  this.destroy();
}

/**
 * Binds a response to a socket that Node has handed over by `upgrade`, good for one answer. If an earlier request on the
 * connection still waits for its response, this one's would be taken for it: the socket is destroyed then.
 */
function bindResponse(
  request: ReceivedRequest,
  socket: Socket,
): ServerResponse | undefined {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  try {
    response.assignSocket(socket);
  } catch {
    socket.destroy();
    return undefined;
  }
  // Node's own listener did this until the upgrade.
  socket.on("drain", () => response.emit("drain"));
  response.on("finish", () => {
    response.detachSocket(socket);
    socket.destroySoon();
  });
  return response;
}
