import { ServerResponse, type IncomingMessage, type Server } from "node:http";
import { Socket } from "node:net";
import type { Side } from "../../lib/telemetry.js";
import type { Engine } from "./engine.js";
import { refuse } from "./errors.js";
import { Exchange, type ExchangeContext } from "./exchange.js";
import {
  hasBody,
  upstreamRequestHeaders,
  whyRefused,
  type ForwardedPolicy,
} from "./headers.js";
import type { UpgradeAttempt } from "./tunnel.js";

export interface FrontendContext extends ExchangeContext, ForwardedPolicy {
  pickSide: () => Side;
  engine: Engine;
  tunnels: Engine<UpgradeAttempt>;
}

/** Takes a server's requests, refuses what is malformed, and has the rest answered by the side that is picked. */
export function serveRequests(server: Server, context: FrontendContext): void {
  server.on("request", (request, response) =>
    accept(context, request, response),
  );
  server.on("upgrade", (request, stream, head) => {
    // Without a listener a reset before the 101 would end the process.
    stream.on("error", () => stream.destroy());
    if (stream instanceof Socket)
      acceptUpgrade(context, { request, socket: stream, head });
    else stream.destroy();
  });
}

function accept(
  context: FrontendContext,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (!prepare(context, request, response)) return;
  new Exchange(context, context.pickSide(), {
    request,
    response,
    send: (attempt) => context.engine.forward(attempt),
  });
}

function acceptUpgrade(
  context: FrontendContext,
  upgrade: { request: IncomingMessage; socket: Socket; head: Buffer },
): void {
  const { request, socket, head } = upgrade;
  const response = bindResponse(request, socket);
  if (hasBody(request)) {
    refuse(response, 400, "a request to switch protocols cannot have a body");
    return;
  }
  // Any other protocol, such as h2c, is not offered: the request is answered as if it had not asked (RFC 9110 7.8).
  if (request.headers.upgrade?.toLowerCase() !== "websocket") {
    accept(context, request, response);
    return;
  }
  if (!prepare(context, request, response)) return;
  new Exchange(context, context.pickSide(), {
    request,
    response,
    send: (attempt) => context.tunnels.forward({ ...attempt, socket, head }),
  });
}

/** Gives the request the headers that upstreams are to see; false when it has been refused. */
function prepare(
  context: FrontendContext,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  // A client that goes away while it is being answered is an outcome, not an error.
  response.on("error", () => response.destroy());
  const refusal = whyRefused(request);
  if (refusal !== undefined) refuse(response, refusal.status, refusal.error);
  else request.headers = upstreamRequestHeaders(request, context);
  return refusal === undefined;
}

/** After `upgrade` Node leaves the socket to us: this is how to answer on it all the same, once. */
function bindResponse(
  request: IncomingMessage,
  socket: Socket,
): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.on("finish", () => {
    response.detachSocket(socket);
    socket.destroySoon();
  });
  return response;
}
