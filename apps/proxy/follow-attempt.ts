import type { ClientRequest, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { ConnectTimeoutError } from "./upstream-socket.js";
import type { Attempt, FailureKind, Ongoing } from "./engine.js";
import { relayInterim, relayResponse } from "./relay.js";

export interface FollowedAttempt extends Ongoing {
  /** Settles the attempt from outside; false when it has been settled already. */
  settle: () => boolean;
}

/**
 * Sees one upstream request through: relays its response, or tells the attempt why there is none, or ends the request
 * when the client has gone. Of these three, the first to happen is the only one.
 *
 * @param upstreamRequest its `timeout`, before a response, means that there was none in time
 */
export function followAttempt(
  upstreamRequest: ClientRequest,
  attempt: Attempt,
): FollowedAttempt {
  const { response } = attempt;
  let settled = false;
  const settle = (): boolean => {
    if (settled) return false;
    settled = true;
    return true;
  };
  const fail = (kind: FailureKind, cause: Error) => {
    // A response that has begun is relayed to its own end: destroying the request would drop what has arrived of it.
    if (!settle()) return;
    upstreamRequest.destroy();
    if (attempt.request.socket.destroyed) return;
    const { reusedSocket } = upstreamRequest;
    attempt.onFailure({ kind, reusedConnection: reusedSocket, cause });
  };

  const connection = observeConnection(upstreamRequest);
  upstreamRequest.on("error", (err) => fail(classify(err, connection), err));
  upstreamRequest.once("close", () => {
    // Every request closes, and an Error takes as long to make as a head to parse.
    if (!settled) fail("bad-response", new Error("closed without a response"));
  });
  upstreamRequest.on("timeout", () =>
    fail("response-timeout", new Error("no response in time")),
  );
  upstreamRequest.on("information", ({ statusCode, rawHeaders }) =>
    relayInterim(response, { status: statusCode, rawHeaders }),
  );
  upstreamRequest.once("response", (upstream: IncomingMessage) => {
    if (settled) return;
    try {
      relayResponse(upstream, response, attempt.upstream.side);
    } catch (err) {
      fail("bad-response", err as Error);
      return;
    }
    settle();
    // Node's client takes a reset for the end of a body that only the connection's end completes.
    upstreamRequest.once("error", (err) => {
      if (!upstream.complete) upstream.destroy(err);
    });
    upstream.once("end", () => {
      if (!upstreamRequest.writableEnded) keepFlowing(upstreamRequest);
    });
    attempt.onResponse(upstream.statusCode ?? 0);
  });
  const abandon = () => {
    settle();
    upstreamRequest.destroy();
  };
  return { settle, abandon };
}

/** Node's client waits for the rest of an upload behind a response, but listens no more for the connection to take it. */
function keepFlowing(upstreamRequest: ClientRequest): void {
  const { socket } = upstreamRequest;
  const passOn = () => upstreamRequest.emit("drain");
  socket?.on("drain", passOn);
  upstreamRequest.once("close", () => socket?.off("drain", passOn));
  // It may have drained already.
  if (socket?.writableNeedDrain === false) passOn();
}

interface ConnectionProgress {
  connected: boolean;
  /** Whether any byte of a response has arrived. */
  hasAnswered: () => boolean;
}

function observeConnection(upstreamRequest: ClientRequest): ConnectionProgress {
  const progress: ConnectionProgress = {
    connected: false,
    hasAnswered: () => false,
  };
  upstreamRequest.once("socket", (socket: Socket) => {
    const bytesReadBefore = socket.bytesRead;
    progress.hasAnswered = () => socket.bytesRead > bytesReadBefore;
    if (!socket.connecting) progress.connected = true;
    else socket.once("connect", () => (progress.connected = true));
  });
  return progress;
}

function classify(
  err: NodeJS.ErrnoException,
  connection: ConnectionProgress,
): FailureKind {
  if (err instanceof ConnectTimeoutError) return "connect-timeout";
  if (!connection.connected) return "unreachable";
  if (err.code?.startsWith("HPE_") === true || connection.hasAnswered())
    return "bad-response";
  return "reset";
}
