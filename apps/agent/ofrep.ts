import { createHash } from "node:crypto";
import express, {
  Router,
  type ErrorRequestHandler,
  type Request,
  type RequestHandler,
  type Response,
} from "express";
import { toResolution } from "../../lib/flag/flag-details.js";
import type { FlagSet } from "../../lib/flag/flag-set.js";
import { flagName, isLoopback } from "../../lib/settings/values.js";

/** Longest a request waits for a flag that is asked for the first time. */
const FIRST_READ_MS = 100;

/**
 * OpenFeature's remote evaluation protocol (OFREP 0.1), for services in any language on this host. A flag has one value for
 * everybody, so the evaluation context is not used. A flag that cannot be read is an error: the client's default then counts.
 *
 * @param names the flags of a bulk evaluation, which leaves out those that nobody has set
 */
export function createOfrep(flags: FlagSet, names: readonly string[]): Router {
  const ofrep = Router();
  const readBody = express.json({ type: () => true });
  const path = "/ofrep/v1/evaluate/flags";
  const handlers = [refuseOtherHosts, readBody, answerBadRequest, checkContext];

  ofrep.post(path, handlers, ((request, response) => {
    const evaluations = names.map((key) => evaluate(flags, key));
    const failure = evaluations.find(({ status }) => status === 500);
    if (failure !== undefined) {
      response.status(500).json(failure.body);
      return;
    }
    const found = evaluations.filter(({ status }) => status === 200);
    const body = { flags: found.map(({ body }) => body) };
    const etag = `"${createHash("sha256").update(JSON.stringify(body)).digest("base64url")}"`;
    response.set("etag", etag);
    if (matches(request.headers["if-none-match"], etag))
      response.status(304).end();
    else response.json(body);
  }) satisfies RequestHandler);

  ofrep.post(`${path}/:key`, handlers, (async (request, response) => {
    const key = String(request.params.key);
    await flags.know([key], FIRST_READ_MS);
    const { status, body } = evaluate(flags, key);
    response.status(status).json(body);
  }) satisfies RequestHandler);

  return ofrep;
}

function evaluate(
  flags: FlagSet,
  key: string,
): { status: 200 | 404 | 500; body: object } {
  const evaluation = flags.evaluate(key);
  if (typeof evaluation === "object")
    return { status: 200, body: { key, ...toResolution(evaluation) } };
  const isAbsent = evaluation === "unset" || !flagName.safeParse(key).success;
  const [status, errorCode, errorDetails] = isAbsent
    ? ([404, "FLAG_NOT_FOUND", "nobody has set this flag"] as const)
    : ([500, "GENERAL", "Redis has not told this flag yet"] as const);
  return { status, body: { key, errorCode, errorDetails } };
}

/** A flag is for the services of this host alone, also where other hosts may read the agent's metrics. */
const refuseOtherHosts: RequestHandler = ({ socket }, response, next) => {
  const address = socket.remoteAddress?.replace(/^::ffff:/, "") ?? "";
  if (isLoopback(address)) next();
  else
    response
      .status(403)
      .json({ errorDetails: "flags are for this host: ask its own agent" });
};

const checkContext: RequestHandler = (request, response, next) => {
  const { context = {} } = (request.body ?? {}) as { context?: unknown };
  if (typeof context === "object" && context !== null) next();
  else answerFailure(request, response, "INVALID_CONTEXT");
};

const answerBadRequest: ErrorRequestHandler = (
  err,
  request,
  response,
  next,
) => {
  const { status } = err as { status?: number };
  if (status === undefined || status >= 500) next(err);
  else answerFailure(request, response, "PARSE_ERROR");
};

function answerFailure(
  request: Request,
  response: Response,
  errorCode: "INVALID_CONTEXT" | "PARSE_ERROR",
): void {
  const { key } = request.params;
  response.status(400).json({
    ...(key === undefined ? {} : { key }),
    errorCode,
    errorDetails: 'give JSON such as {"context": {}}',
  });
}

/** As If-None-Match compares: weakly. */
function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  const tags = (ifNoneMatch ?? "").split(",").map((tag) => tag.trim());
  return tags.some((tag) => tag === "*" || tag.replace(/^W\//, "") === etag);
}
