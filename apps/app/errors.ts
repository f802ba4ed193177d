import type { ErrorRequestHandler } from "express";
import type { Logger } from "../../lib/program/log.js";

/** Rejects a request with this status. Clients see the message, and the flag that disables the feature. */
export class Rejection extends Error {
  readonly status: number;
  readonly flag: string | undefined;

  constructor(status: number, message: string, flag?: string) {
    super(message);
    this.status = status;
    this.flag = flag;
  }
}

export class StoreUnavailable extends Rejection {
  constructor(options?: ErrorOptions) {
    super(503, "store unavailable");
    this.cause = options?.cause;
  }
}

/** Maps the errors of routes to responses. An unexpected error is logged, and its details are not sent to the client. */
export function createErrorHandler(logger: Logger): ErrorRequestHandler {
  return (err: unknown, request, response, next) => {
    const { status, ...body } = answerTo(err);
    if (status === 500) {
      const { method, path } = request;
      logger.error({ err, method, path }, "request failed");
    }
    // Express closes the connection of a response that has begun.
    if (response.headersSent) next(err);
    else response.status(status).json(body);
  };
}

function answerTo(err: unknown): {
  status: number;
  error: string;
  flag?: string | undefined;
} {
  if (err instanceof Rejection)
    return { status: err.status, error: err.message, flag: err.flag };
  if (isClientError(err)) return { status: err.status, error: describe(err) };
  return { status: 500, error: "internal error" };
}

/** An error by which Express or its body parser rejects a request. */
interface ClientError extends Error {
  status: number;
  /** The maximum in bytes, if the body exceeds it. */
  limit?: number;
}

function isClientError(err: unknown): err is ClientError {
  return (
    err instanceof Error &&
    "status" in err &&
    typeof err.status === "number" &&
    err.status >= 400 &&
    err.status < 500
  );
}

function describe({ message, limit }: ClientError): string {
  return limit === undefined
    ? message
    : `body too large: give at most ${limit} bytes`;
}
