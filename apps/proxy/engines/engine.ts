import type { IncomingMessage, ServerResponse } from "node:http";
import type { Upstream } from "./upstreams.js";

/**
 * Why an upstream gave no response. `unreachable` and `connect-timeout` mean that not a byte of the request was sent
 * and none of its body consumed.
 */
export type FailureKind =
  | "unreachable"
  | "connect-timeout"
  | "response-timeout"
  | "reset"
  | "bad-response";

export interface Failure {
  kind: FailureKind;
  /** Whether the connection had served an earlier request, so that its end may just have crossed ours. */
  reusedConnection: boolean;
  cause: Error;
}

/** One try to have one upstream answer a request. */
export interface Attempt {
  request: IncomingMessage;
  /** Those that the upstream is to see, `[name, value, name, value …]`; `Host` is not there if the client sent none. */
  headers: readonly string[];
  response: ServerResponse;
  upstream: Upstream;
  hasBody: boolean;
  /** Do not reuse a connection for it. */
  freshConnection: boolean;
  /** The response's head is being sent on. Called at most once, and then `onFailure` is not. */
  onResponse: (status: number) => void;
  /** The response that is being sent on broke off, and the client was cut off with it. Not called when the client has gone. */
  onCut: (cause: Error) => void;
  /** Nothing has been sent to the client. Called at most once; not at all when the client has gone. */
  onFailure: (failure: Failure) => void;
}

/** An attempt on its way. */
export interface Ongoing {
  /** The client has gone: ends the upstream's request at once, whatever its stage. May be called when it is over. */
  abandon: () => void;
}

/**
 * Carries requests to upstreams. Whoever implements it streams both ways with back-pressure, and cuts the client off
 * when a response that has begun cannot be completed. It reports nothing before `forward` has returned.
 */
export interface Engine<A extends Attempt = Attempt> {
  forward: (attempt: A) => Ongoing;
  /** Cuts off what is still on its way. */
  close: () => void;
}

export interface UpstreamLimits {
  connectMs: number;
  /** For the response's head, from the last byte that moved. Not while the client has still to send the request's body. */
  responseMs: number;
  /** Of a response's head. */
  maxHeaderBytes: number;
}

export const ENGINE_NAMES = ["direct", "http-proxy"] as const;

export type EngineName = (typeof ENGINE_NAMES)[number];
