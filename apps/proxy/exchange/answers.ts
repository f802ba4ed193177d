import { STATUS_CODES, type ServerResponse } from "node:http";
import type { FailureKind } from "../engines/engine.js";

/** The client's status when no upstream answered: 503 not reached, 504 too slow, 502 no valid response. */
export const STATUS_OF_FAILURE: Readonly<Record<FailureKind, number>> = {
  unreachable: 503,
  "connect-timeout": 504,
  "response-timeout": 504,
  reset: 502,
  "bad-response": 502,
};

const MESSAGES: Record<number, string> = {
  502: "the upstream gave no valid response",
  503: "the upstream cannot be reached",
  504: "the upstream did not answer in time",
};

/** Answers in place of a failed upstream. @returns the status */
export function answerFailure(
  response: ServerResponse,
  failure: {
    kind: FailureKind;
    servedBy: string;
    requestId: string | undefined;
  },
): number {
  const status = STATUS_OF_FAILURE[failure.kind];
  answerJson(response, {
    status,
    body: { error: MESSAGES[status] ?? "", requestId: failure.requestId },
    headers: { "x-served-by": failure.servedBy, ...retryAfter(status) },
  });
  return status;
}

/** Answers a request that is not forwarded, and closes the connection: nothing that follows on it can be trusted. */
export function refuse(
  response: ServerResponse,
  status: number,
  error: string,
): void {
  const headers = { connection: "close", ...retryAfter(status) };
  answerJson(response, { status, body: { error }, headers });
}

function retryAfter(status: number): Record<string, string> {
  return status === 503 ? { "retry-after": "1" } : {};
}

function answerJson(
  response: ServerResponse,
  answer: { status: number; body: object; headers: Record<string, string> },
): void {
  const body = JSON.stringify(answer.body);
  response
    // Replaces the reason of an upstream's head that could not be relayed.
    .writeHead(answer.status, STATUS_CODES[answer.status], {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      ...answer.headers,
    })
    .end(body);
}
