import type { ErrorRequestHandler } from "express";
import type { Logger } from "../../lib/program/log.js";

/** The message says what would be right. */
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

/** Answers for every error that a route throws. One that nobody expected is logged, and the client told nothing of it. */
export function createErrorHandler(logger: Logger): ErrorRequestHandler {
  return (err: unknown, request, response, next) => {
    const { status, ...body } = answerTo(err);
    if (status === 500) {
      const { method, path } = request;
      logger.error({ err, method, path }, "request failed");
    }
    // Express ends the connection of an answer that has begun.
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
  if (isRefusal(err)) return { status: err.status, error: describe(err) };
  return { status: 500, error: "internal error" };
}

/** How Express and its body parser refuse a request that they cannot take. */
interface Refusal extends Error {
  status: number;
  /** In bytes, when the body is larger. */
  limit?: number;
}

function isRefusal(err: unknown): err is Refusal {
  return (
    err instanceof Error &&
    "status" in err &&
    typeof err.status === "number" &&
    err.status >= 400 &&
    err.status < 500
  );
}

function describe({ message, limit }: Refusal): string {
  return limit === undefined
    ? message
    : `body too large: give at most ${limit} bytes`;
}
