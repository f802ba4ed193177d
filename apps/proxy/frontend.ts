import { ServerResponse, type IncomingMessage, type Server } from "node:http";
import { Socket } from "node:net";
import type { Side } from "../../lib/telemetry.js";
import type { ConnectionCount } from "./connection-count.js";
import { ConnectionLimit } from "./connection-limit.js";
import type { Attempt, Engine, Ongoing } from "./engine.js";
import { refuse } from "./errors.js";
import { Exchange, type ExchangeContext } from "./exchange.js";
import {
  hasBody,
  upstreamRequestHeaders,
  whyRefused,
  type ForwardedPolicy,
  type Refusal,
} from "./headers.js";
import { Pipeline } from "./pipeline.js";
import type { UpgradeAttempt } from "./tunnel.js";
import { WaitingClient } from "./waiting-client.js";

const TOO_MANY_CONNECTIONS: Refusal = {
  status: 503,
  error: "too many connections",
};

export interface FrontendContext extends ExchangeContext, ForwardedPolicy {
  pickSide: () => Side;
  engine: Engine;
  tunnels: Engine<UpgradeAttempt>;
  maxConnections: number;
  connections: ConnectionCount;
}

/** Takes a server's requests, refuses what is malformed, and has the rest answered by the side that is picked. */
export function serveRequests(server: Server, context: FrontendContext): void {
  const { maxConnections, connections } = context;
  const limit = new ConnectionLimit(server, maxConnections, connections);
  const intake = new Intake(context, limit);
  server.on("request", (request, response) => intake.take(request, response));
  server.on("upgrade", (request, stream, head) => {
    // Without a listener a reset before the 101 would end the process.
    stream.on("error", () => stream.destroy());
    if (stream instanceof Socket) intake.takeUpgrade(request, stream, head);
    else stream.destroy();
  });
}

class Intake {
  readonly #context: FrontendContext;
  readonly #limit: ConnectionLimit;
  /** Where a request was refused: what follows on these connections, already read or not, is not to be trusted. */
  readonly #refused = new WeakSet<Socket>();
  readonly #pipelines = new WeakMap<Socket, Pipeline>();

  constructor(context: FrontendContext, limit: ConnectionLimit) {
    this.#context = context;
    this.#limit = limit;
  }

  take(request: IncomingMessage, response: ServerResponse): void {
    if (!this.#prepare(request, response)) return;
    const { engine } = this.#context;
    const start = () =>
      this.#exchange(request, response, (attempt) => engine.forward(attempt));
    // Its turn on the connection has come.
    if (response.socket !== null) start();
    else this.#pipelineOf(request.socket).add(response, start);
  }

  takeUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const response = bindResponse(request, socket);
    if (response === undefined) return;
    const client = new WaitingClient(socket, head);
    const isWebSocket = request.headers.upgrade?.toLowerCase() === "websocket";
    if (!this.#prepare(request, response)) return;
    if (hasBody(request)) {
      refuse(response, 400, "a request to switch protocols cannot have a body");
      return;
    }
    const { engine, tunnels } = this.#context;
    // Any other protocol, such as h2c, is not offered: the request is answered as if it had not asked (RFC 9110 7.8).
    this.#exchange(request, response, (attempt) =>
      isWebSocket
        ? tunnels.forward({ ...attempt, client })
        : engine.forward(attempt),
    );
  }

  #pipelineOf(socket: Socket): Pipeline {
    let pipeline = this.#pipelines.get(socket);
    if (pipeline === undefined) {
      pipeline = new Pipeline(socket);
      this.#pipelines.set(socket, pipeline);
    }
    return pipeline;
  }

  #exchange(
    request: IncomingMessage,
    response: ServerResponse,
    send: (attempt: Attempt) => Ongoing,
  ): void {
    const side = this.#context.pickSide();
    new Exchange(this.#context, side, { request, response, send });
  }

  /** Gives the request the headers that upstreams are to see; false when it goes nowhere. */
  #prepare(request: IncomingMessage, response: ServerResponse): boolean {
    response.on("error", destroyFailed);
    const { socket } = request;
    if (this.#refused.has(socket)) return false;
    if (socket.remoteAddress === undefined) {
      // It has gone already, and its address with it.
      socket.destroy();
      return false;
    }
    const refusal = this.#limit.isExceededBy(socket)
      ? TOO_MANY_CONNECTIONS
      : whyRefused(request);
    if (refusal === undefined) {
      request.headers = upstreamRequestHeaders(request, this.#context);
      return true;
    }
    this.#refused.add(socket);
    refuse(response, refusal.status, refusal.error);
    return false;
  }
}

/** A client that goes away while it is being answered is an outcome, not an error. */
function destroyFailed(this: ServerResponse): void {
  this.destroy();
}

/**
 * After `upgrade` Node leaves the socket to us: this is how to answer on it all the same, once. Undefined, and the
 * connection ended, when an earlier request on it still waits for its answer: then this one's could not be told apart.
 */
function bindResponse(
  request: IncomingMessage,
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
  response.on("finish", () => {
    response.detachSocket(socket);
    socket.destroySoon();
  });
  return response;
}
