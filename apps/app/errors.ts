import type { ErrorRequestHandler } from "express";
import type { Logger } from "../../lib/program/log.js";

/** The message states what is valid. */
export class InvalidInput extends Error {}

export class NotFound extends Error {}

export class FeatureDisabled extends Error {
  readonly flagName: string;

  constructor(flagName: string) {
    super("feature disabled");
    this.flagName = flagName;
  }
}

export class StoreUnavailable extends Error {}

interface Answer {
  status: number;
  error: string;
  flag?: string;
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

function answerTo(err: unknown): Answer {
  if (err instanceof InvalidInput) return { status: 400, error: err.message };
  if (err instanceof NotFound) return { status: 404, error: err.message };
  if (err instanceof FeatureDisabled)
    return { status: 503, error: err.message, flag: err.flagName };
  if (err instanceof StoreUnavailable)
    return { status: 503, error: "store unavailable" };
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
