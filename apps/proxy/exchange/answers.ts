import { STATUS_CODES, type ServerResponse } from "node:http";
import type { FailureKind } from "../engines/engine.js";

/** What a client gets when no upstream answered: 503 not reached, 504 too slow, 502 reached but no valid answer. */
export function statusOfFailure(kind: FailureKind): number {
  switch (kind) {
    case "unreachable":
      return 503;
    case "connect-timeout":
    case "response-timeout":
      return 504;
    case "reset":
    case "bad-response":
      return 502;
  }
}

const MESSAGES: Record<number, string> = {
  502: "the upstream gave no valid response",
  503: "the upstream cannot be reached",
  504: "the upstream did not answer in time",
};

/** Answers in place of an upstream that failed. */
export function answerFailure(
  response: ServerResponse,
  failure: { kind: FailureKind; servedBy: string },
): number {
  const status = statusOfFailure(failure.kind);
  answerJson(response, {
    status,
    error: MESSAGES[status] ?? "",
    headers: { "x-served-by": failure.servedBy, ...retryAfter(status) },
  });
  return status;
}

/** Answers a request that will not be forwarded, and closes the connection: what follows on it cannot be trusted. */
export function refuse(
  response: ServerResponse,
  status: number,
  error: string,
): void {
  const headers = { connection: "close", ...retryAfter(status) };
  answerJson(response, { status, error, headers });
}

function retryAfter(status: number): Record<string, string> {
  return status === 503 ? { "retry-after": "1" } : {};
}

function answerJson(
  response: ServerResponse,
  answer: { status: number; error: string; headers: Record<string, string> },
): void {
  const body = JSON.stringify({ error: answer.error });
  response
    // The reason is named, since a head of the upstream's that could not be sent on has left its own behind.
    .writeHead(answer.status, STATUS_CODES[answer.status], {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      ...answer.headers,
    })
    .end(body);
}
