import type { ClientRequest, IncomingMessage } from "node:http";
import type { Attempt, FailureKind, Ongoing } from "./engine.js";
import { relayInterim, relayResponse } from "../http/relay.js";
import type { Framing } from "../http/response-head.js";
import { ConnectTimeoutError } from "./upstream-socket.js";

export interface FollowedAttempt extends Ongoing {
  /** Settles the attempt from outside. @returns false if it was settled before */
  settle: () => boolean;
  /** Call when no byte has moved for the response timeout. */
  onTimeout: () => void;
}

/**
 * Follows one upstream request to its end: relays its response, reports its failure, or ends it when the client has left.
 * Exactly one of the three happens.
 *
 * @param frame throws BadResponseError when two readers could frame a response differently
 */
export function followAttempt(
  upstreamRequest: ClientRequest,
  attempt: Attempt,
  frame: (response: IncomingMessage) => Framing,
): FollowedAttempt {
  const { response } = attempt;
  const progress = followConnection(upstreamRequest);
  let settled = false;
  /** The response that is being relayed. */
  let answer: IncomingMessage | undefined;
  const settle = (): boolean => {
    if (settled) return false;
    settled = true;
    return true;
  };
  const fail = (kind: FailureKind, cause: Error) => {
    // A response that has begun is relayed to its end: destroying the request would drop the bytes that have arrived.
    if (!settle()) return;
    upstreamRequest.destroy();
    if (attempt.request.socket.destroyed) return;
    const { reusedSocket } = upstreamRequest;
    attempt.onFailure({ kind, reusedConnection: reusedSocket, cause });
  };

  upstreamRequest.on("error", (err) => {
    // To Node's client a reset looks like the end of a body that is delimited by the connection's end.
    if (answer?.complete === false) answer.destroy(err);
    else fail(classify(err, progress()), err);
  });
  upstreamRequest.on("close", () => {
    // Every request closes, and creating an Error costs as much as parsing a head.
    if (!settled) fail("bad-response", new Error("closed without a response"));
  });
  upstreamRequest.on("information", ({ statusCode, rawHeaders }) => {
    relayInterim(response, { status: statusCode, rawHeaders });
  });
  upstreamRequest.on("response", (upstream: IncomingMessage) => {
    if (settled) return;
    // Runs before relayResponse cuts the client off, which would look like a client that left.
    upstream.on("error", (err) => {
      if (answer === upstream && !attempt.request.socket.destroyed)
        attempt.onCut(err);
    });
    try {
      const { bodyLength } = frame(upstream);
      if (attempt.discards?.(upstream.statusCode ?? 0) === true) {
        settle();
        upstream.resume();
        attempt.onDiscarded();
        return;
      }
      const source = attempt.readSource();
      relayResponse({ upstream, bodyLength }, response, source);
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
    attempt.onResponse(upstream.statusCode ?? 0, upstream.rawHeaders);
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

/** Whether the upstream could take more of the request's body than the client has sent. */
function waitsForClient(
  { hasBody }: Attempt,
  { writableEnded, writableNeedDrain }: ClientRequest,
): boolean {
  return hasBody && !writableEnded && !writableNeedDrain;
}

/** After the response, Node's client still sends the rest of an upload, but no longer listens for the socket's `drain`. */
function keepFlowing(upstreamRequest: ClientRequest): void {
  const { socket } = upstreamRequest;
  const passOn = () => upstreamRequest.emit("drain");
  socket?.on("drain", passOn);
  upstreamRequest.once("close", () => socket?.off("drain", passOn));
  // The socket may have drained already.
  if (socket?.writableNeedDrain === false) passOn();
}

/** How far a request's connection has come. */
type Progress = "connecting" | "connected" | "answered";

function followConnection(upstreamRequest: ClientRequest): () => Progress {
  let isConnected = false;
  let bytesBefore = 0;
  upstreamRequest.once("socket", (socket) => {
    bytesBefore = socket.bytesRead;
    isConnected = !socket.connecting && !socket.destroyed;
    if (!isConnected) socket.once("connect", () => (isConnected = true));
  });
  return () => {
    if (!isConnected) return "connecting";
    const { bytesRead = 0 } = upstreamRequest.socket ?? {};
    return bytesRead > bytesBefore ? "answered" : "connected";
  };
}

function classify(err: NodeJS.ErrnoException, progress: Progress): FailureKind {
  if (err instanceof ConnectTimeoutError) return "connect-timeout";
  if (progress === "connecting") return "unreachable";
  return progress === "answered" ? "bad-response" : "reset";
}
