import type { ClientRequest, IncomingMessage } from "node:http";
import type { Attempt, FailureKind, Ongoing } from "./engine.js";
import { relayInterim, relayResponse } from "../http/relay.js";
import type { Framing } from "../http/response-head.js";
import { ConnectTimeoutError } from "./upstream-socket.js";

export interface FollowedAttempt extends Ongoing {
  /** Settles the attempt from outside; false when it has been settled already. */
  settle: () => boolean;
  /** To be told when no byte has moved for the time that a response may take. */
  onTimeout: () => void;
}

/** The connection that a request to an upstream goes by. */
export interface FollowedConnection {
  readonly isConnected: boolean;
  /** Whether any byte of the response has come. */
  readonly hasAnswered: boolean;
  passInterim: () => void;
  /** @throws BadResponseError when two readers could frame it differently */
  passResponse: (response: IncomingMessage) => Framing;
}

/**
 * Sees one upstream request through: relays its response, or tells the attempt why there is none, or ends the request
 * when the client has gone. Of these three, the first to happen is the only one.
 */
export function followAttempt(
  upstreamRequest: ClientRequest,
  attempt: Attempt,
  connection: FollowedConnection,
): FollowedAttempt {
  const { response } = attempt;
  let settled = false;
  /** What is being relayed. */
  let answer: IncomingMessage | undefined;
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

  upstreamRequest.on("error", (err) => {
    // Node's client takes a reset for the end of a body that only the connection's end completes.
    if (answer?.complete === false) answer.destroy(err);
    else fail(classify(err, connection), err);
  });
  upstreamRequest.on("close", () => {
    // Every request closes, and an Error takes as long to make as a head to parse.
    if (!settled) fail("bad-response", new Error("closed without a response"));
  });
  upstreamRequest.on("information", ({ statusCode, rawHeaders }) => {
    connection.passInterim();
    relayInterim(response, { status: statusCode, rawHeaders });
  });
  upstreamRequest.on("response", (upstream: IncomingMessage) => {
    if (settled) return;
    // Before the client is cut off for it, which looks as if it had left.
    upstream.on("error", (err) => {
      if (answer === upstream && !attempt.request.socket.destroyed)
        attempt.onCut(err);
    });
    try {
      const { bodyLength } = connection.passResponse(upstream);
      relayResponse({ upstream, bodyLength }, response, attempt.upstream.side);
    } catch (err) {
      fail("bad-response", err as Error);
      return;
    }
    settle();
    answer = upstream;
    if (attempt.hasBody)
      upstream.once("end", () => {
        if (!upstreamRequest.writableEnded) keepFlowing(upstreamRequest);
      });
    attempt.onResponse(upstream.statusCode ?? 0);
  });
  const abandon = () => {
    settle();
    upstreamRequest.destroy();
  };
  const onTimeout = () => {
    if (!waitsForClient(attempt, upstreamRequest))
      fail("response-timeout", new Error("no response in time"));
  };
  return { settle, abandon, onTimeout };
}

/** Whether the upstream would take more of the request's body than the client has sent. */
function waitsForClient(
  { hasBody }: Attempt,
  { writableEnded, writableNeedDrain }: ClientRequest,
): boolean {
  return hasBody && !writableEnded && !writableNeedDrain;
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

function classify(
  err: NodeJS.ErrnoException,
  { isConnected, hasAnswered }: FollowedConnection,
): FailureKind {
  if (err instanceof ConnectTimeoutError) return "connect-timeout";
  if (!isConnected) return "unreachable";
  const isParseError = err.code?.startsWith("HPE_") === true;
  return isParseError || hasAnswered ? "bad-response" : "reset";
}
