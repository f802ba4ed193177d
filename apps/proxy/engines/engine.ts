import type { IncomingMessage, ServerResponse } from "node:http";
import type { ResponseSource } from "../http/headers.js";
import type { Upstream } from "./upstreams.js";

/**
 * Why an upstream gave no response. `unreachable` and `connect-timeout` mean that no byte of the request was sent and
 * none of its body consumed.
 */
export type FailureKind =
  | "unreachable"
  | "connect-timeout"
  | "response-timeout"
  | "reset"
  | "bad-response";

export interface Failure {
  kind: FailureKind;
  /** Whether the connection had served a request before: the upstream may have closed it just as this one was sent. */
  reusedConnection: boolean;
  cause: Error;
}

/** One attempt to get a response to a request from one upstream. */
export interface Attempt {
  request: IncomingMessage;
  /** For the upstream, `[name, value, name, value …]`, without `Host` if the client sent none. */
  headers: readonly string[];
  response: ServerResponse;
  upstream: Upstream;
  hasBody: boolean;
  /** Open a new connection instead of reusing one. */
  freshConnection: boolean;
  /** What the client is told of the response, at the time of the call. */
  readSource: () => ResponseSource;
  /** Whether a response with this status is discarded. `onDiscarded` follows in place of `onResponse`. */
  discards: ((status: number) => boolean) | undefined;
  onDiscarded: () => void;
  /**
   * The response's head is being relayed. Called at most once, and never together with `onFailure`.
   *
   * @param rawHeaders `[name, value, name, value …]` as received
   */
  onResponse: (status: number, rawHeaders: readonly string[]) => void;
  /** The response broke off while it was relayed, and the client was cut off. Not called when the client has left. */
  onCut: (cause: Error) => void;
  /** Nothing has been sent to the client. Called at most once; not called when the client has left. */
  onFailure: (failure: Failure) => void;
}

/** An attempt in progress. */
export interface Ongoing {
  /** The client has left: ends the upstream's request at once, at any stage. Has no effect after the end. */
  abandon: () => void;
}

/**
 * Forwards requests to upstreams. An implementation streams both ways with back-pressure, and cuts the client off if a
 * response that has begun cannot be completed. It calls no callback before `forward` has returned.
 */
export interface Engine<A extends Attempt = Attempt> {
  forward: (attempt: A) => Ongoing;
  /** Cuts off the attempts in progress. */
  close: () => void;
}

export interface UpstreamLimits {
  connectTimeoutMs: number;
  /** From the last byte that moved to the response's head. Does not run while the client is sending the request's body. */
  responseTimeoutMs: number;
  /** Limit of a head, of responses as of requests. */
  maxHeaderBytes: number;
}

export const ENGINE_NAMES = ["direct", "http-proxy"] as const;

export type EngineName = (typeof ENGINE_NAMES)[number];
