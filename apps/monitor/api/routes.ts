import express, {
  type ErrorRequestHandler,
  type Express,
  type RequestHandler,
} from "express";
import { describeHeld } from "../../../lib/wording/headline.js";
import type { FlipEffect } from "../../../lib/flag/receipts.js";
import type { Request } from "../../../lib/rollout/transitions.js";
import { describeRedisError } from "../../../lib/redis/redis.js";
import type { Logger } from "../../../lib/program/log.js";
import { addDashboard, type Dashboard } from "./dashboard.js";
import { HttpError, refuseForeignPages, requireToken } from "./access.js";
import type { NoticeSettings } from "../alert/message/notice.js";
import { addMailLinks } from "./mail-links.js";
import type { ApiBackend } from "./backend.js";
import { describeApi } from "./openapi.js";
import {
  eventsQuery,
  FLIP_BODY_HELP,
  flipBody,
  rolloutBodies,
  type RolloutVerb,
  planQuery,
} from "./requests.js";

const BODY_LIMIT = "64kb";
type RolloutRequest = Extract<Request, { verb: RolloutVerb }> & {
  reason?: string;
};

const DEFAULT_REASON = "requested through the API";

export function createApi(
  backend: ApiBackend,
  options: {
    flagName: string;
    adminToken: string | undefined;
    answerMetrics: RequestHandler;
    logger: Logger;
    dashboard?: Dashboard;
    notice?: NoticeSettings;
  },
): Express {
  const { flagName, adminToken, logger, dashboard, notice } = options;
  const api = express();
  api.disable("x-powered-by");
  api.get(
    "/healthz",
    (_request, response) => void response.json({ status: "ok" }),
  );
  api.get("/readyz", (_request, response) => {
    const obstacle = backend.obstacle();
    const held = backend.heldChannels();
    response.status(obstacle === undefined ? 200 : 503).json({
      status: obstacle ?? "ready",
      ...(held.length > 0 ? { alerts: held.map(describeHeld) } : {}),
    });
  });
  api.use(refuseForeignPages(adminToken));
  api.get("/metrics", options.answerMetrics);
  const description = describeApi();
  api.get(
    "/api/openapi.json",
    (_request, response) => void response.json(description),
  );
  api.get(
    "/api/state",
    async (_request, response) => void response.json(await backend.readState()),
  );
  api.get("/api/plan", async (request, response) => {
    const query = planQuery.safeParse(request.query);
    if (!query.success)
      throw new HttpError(400, query.error.issues[0]?.message ?? "");
    response.json(await backend.readPlan(query.data));
  });
  api.get("/api/events", async (request, response) => {
    const query = eventsQuery.safeParse(request.query);
    if (!query.success)
      throw new HttpError(400, query.error.issues[0]?.message ?? "");
    response.json(await backend.readEvents(query.data));
  });
  addReleases(api, backend, requireToken(adminToken));
  addRollout(api, backend, requireToken(adminToken));
  api.post(
    "/api/flags/:name",
    requireToken(adminToken),
    ({ params: { name } }, _response, next) => {
      if (name === flagName) next();
      else
        throw new HttpError(
          404,
          `no flag ${JSON.stringify(name)}: this monitor has ${JSON.stringify(flagName)}`,
        );
    },
    express.json({ limit: BODY_LIMIT, type: () => true, strict: false }),
    async (request, response) => {
      const body = flipBody.safeParse(request.body);
      if (!body.success) throw new HttpError(400, FLIP_BODY_HELP);
      const { value: wanted, reason = DEFAULT_REASON } = body.data;
      const change = { value: wanted, reason };
      const { value, outcome, effect } = await backend.changeFlag(change);
      response.json({
        name: flagName,
        value,
        changed: outcome === "changed",
        proxies: effect.proxies,
        confirmed: isConfirmed(effect),
        effect: effect.sentence,
      });
    },
  );
  if (notice !== undefined) addMailLinks(api, backend, notice);
  if (dashboard !== undefined) addDashboard(api, dashboard);
  api.use(() => {
    throw new HttpError(
      404,
      "not found: try /api/openapi.json, which lists what there is",
    );
  });
  api.use(answerErrors(logger));
  return api;
}

function addReleases(
  api: Express,
  backend: ApiBackend,
  guard: RequestHandler,
): void {
  api.get("/api/verdicts/:id", async (request, response) => {
    const { id } = request.params;
    if (!/^\d{1,15}-\d{1,15}$/.test(id))
      throw new HttpError(400, "give an event id such as 1700000000000-0");
    const replay = await backend.readVerdict(id);
    if (replay === undefined)
      throw new HttpError(404, `event ${id} has no verdict`);
    response.json({ id, ...replay });
  });
  api.post("/api/test-mail", guard, async (_request, response) => {
    response.status(202).json(await backend.sendTestMail());
  });
  api.post("/api/release", guard, async (_request, response) => {
    await backend.startRelease("a new release, announced through the API");
    response.status(202).json({ status: "a new comparison starts" });
  });
}

function addRollout(
  api: Express,
  backend: ApiBackend,
  guard: RequestHandler,
): void {
  api.get("/api/rollout", async (_request, response) => {
    response.json(await backend.readRollout());
  });
  api.post(
    "/api/rollout/:verb",
    guard,
    express.json({ limit: BODY_LIMIT, type: () => true, strict: false }),
    async (request, response) => {
      const { reason, ...asked } = readRolloutRequest(
        String(request.params.verb),
        request.body ?? {},
      );
      const done = await backend.changeRollout(asked, reason);
      if (typeof done === "string") throw new HttpError(409, done);
      const { sentence, effect } = done;
      response.json({
        sentence,
        effect: effect?.sentence ?? null,
        confirmed: effect === undefined || isConfirmed(effect),
      });
    },
  );
}

function isConfirmed({ proxies, silent }: FlipEffect): boolean {
  return proxies > 0 && silent.length === 0;
}

function readRolloutRequest(verb: string, body: unknown) {
  if (!Object.hasOwn(rolloutBodies, verb))
    throw new HttpError(
      404,
      `no verb ${JSON.stringify(verb)}: there are ${Object.keys(rolloutBodies).join(", ")}`,
    );
  const known = verb as RolloutVerb;
  const parsed = rolloutBodies[known].safeParse(body);
  if (parsed.success) return { verb: known, ...parsed.data } as RolloutRequest;
  const [issue] = parsed.error.issues;
  const place = issue?.path.join(".") ?? "";
  throw new HttpError(400, [place, issue?.message].filter(Boolean).join(": "));
}

/** The one place where errors become statuses; internals are only logged. */
function answerErrors(logger: Logger): ErrorRequestHandler {
  return (err: unknown, _request, response, next) => {
    if (response.headersSent) {
      next(err);
      return;
    }
    const { status, error } = describeError(err);
    if (status >= 500) logger.warn({ err }, "a request could not be served");
    response.status(status).json({ error });
  };
}

function describeError(err: unknown): { status: number; error: string } {
  if (err instanceof HttpError)
    return { status: err.status, error: err.message };
  if (err instanceof URIError)
    return { status: 400, error: "the path is not validly encoded" };
  // Only errors of express.json have a status.
  const { status } = err as { status?: number };
  if (status === 413)
    return { status, error: "the body may be at most 64 KiB" };
  if (status !== undefined) return { status: 400, error: FLIP_BODY_HELP };
  return { status: 503, error: `${describeRedisError(err)}; try again` };
}
