import { createServer } from "node:http";
import { hostname } from "node:os";
import express, {
  type ErrorRequestHandler,
  type Express,
  type RequestHandler,
  type Router,
} from "express";
import { FlagSet } from "../../lib/flag/flag-set.js";
import { FlagWatch } from "../../lib/flag/flag-watch.js";
import { refuseForeignHosts } from "../../lib/program/foreign-hosts.js";
import { HttpService } from "../../lib/program/http-service.js";
import { announce, sourceId } from "../../lib/flag/announce.js";
import { releaseVersion } from "../../lib/program/release.js";
import { createKeys, type Keys } from "../../lib/redis/keys.js";
import type { Closers } from "../../lib/program/lifecycle.js";
import type { Logger } from "../../lib/program/log.js";
import { answerMetrics, Metrics } from "../../lib/program/metrics.js";
import { createRedis, waitForRedis } from "../../lib/redis/redis.js";
import {
  writeTelemetry,
  type HostSample,
  type Notice,
} from "../../lib/telemetry/telemetry.js";
import { toAgentFamilies } from "./agent-metrics.js";
import type { AgentConfig } from "./config.js";
import { createAppFinder } from "./find-app.js";
import { HostSampler } from "./host-sampler.js";
import { createProbe } from "./probe.js";
import { createOfrep } from "./ofrep.js";
import { createSampleSender } from "./sample-sender.js";

/** Longest a sample waits for a Redis that is connected but silent. */
const REPLY_TIMEOUT_MS = 1000;
const REDIS_WAIT_MS = 1000;

/** Opens everything the agent consists of and connects it; what it opens, it registers to be closed. */
export async function startAgent(
  config: AgentConfig,
  { logger, closers }: { logger: Logger; closers: Closers },
): Promise<void> {
  const { target, appUrl } = config;
  const redis = createRedis({
    url: config.redisUrl,
    name: "agent",
    logger,
    replyTimeoutMs: REPLY_TIMEOUT_MS,
  });
  closers.add("Redis", () => redis.disconnect());
  const keys = createKeys(config.keyPrefix);

  const identity = { target, version: releaseVersion(), host: hostname() };
  let lastSample: HostSample | undefined;
  const metrics = new Metrics({
    version: identity.version,
    read: () => toAgentFamilies(lastSample),
  });
  const health = new HttpService(
    createServer(
      createHealth(config.host, {
        identity,
        ofrep: openOfrep(config, { keys, logger, closers }),
        answerMetrics: answerMetrics(metrics, logger),
      }),
    ),
  );
  const port = await health.listen(config);
  closers.add("health server", () => health.close(0));

  const source = sourceId("agent", port);
  const detail = `${target} on ${appUrl.origin}`;
  const record = (data: Notice["data"]) =>
    writeTelemetry(redis, keys, [
      { kind: "notice", source, at: Date.now(), data },
    ]);
  announce({
    program: "agent",
    source,
    detail,
    redis,
    ledger: { record },
    closers,
    logger,
  });

  const send = createSampleSender({ redis, keys, source, logger });
  const sampler = new HostSampler({
    target,
    probe: createProbe(config),
    findApp: createAppFinder(config.app),
    intervalMs: config.sampleIntervalMs,
    send: (sample) => {
      lastSample = sample;
      return send(sample);
    },
    logger,
  });
  // Without Redis the first sample would be dropped, so wait a moment. The metrics work without Redis.
  void waitForRedis(redis, REDIS_WAIT_MS).then(() => sampler.start());
  closers.add("sampler", () => sampler.close());
  logger.info({ port, target, appUrl: appUrl.origin }, "agent listens");
}

/** Reads the flags for services in any language. They become known when Redis has answered. */
function openOfrep(
  { redisUrl, flagName, flags }: AgentConfig,
  context: { keys: Keys; logger: Logger; closers: Closers },
): Router {
  const { keys, logger, closers } = context;
  const watch = new FlagWatch({
    ...{ redisUrl, keys, flagName, logger },
    program: "agent",
    readsInfo: true,
  });
  closers.add("flag watch", () => watch.close());
  const set = new FlagSet(watch, flagName);
  set.add(flags);
  return createOfrep(set, [flagName, ...flags]);
}

/** Serves the agent's own `/healthz`, with `identity`, `/metrics` and OFREP. @param own what it listens on */
function createHealth(
  own: string,
  parts: {
    identity: { target: string; version: string; host: string };
    ofrep: Router;
    answerMetrics: RequestHandler;
  },
): Express {
  const health = express();
  health.disable("x-powered-by");
  health.use(refuseForeignHosts(own));
  health.get("/healthz", (_request, response) => {
    response.json({ status: "ok", ...parts.identity, pid: process.pid });
  });
  health.get("/metrics", parts.answerMetrics);
  health.use(parts.ofrep);
  health.use((_request, response) => {
    response.status(404).json({ error: "not found: try /healthz or /metrics" });
  });
  health.use(answerMalformedUrl);
  return health;
}

/** Express would answer with its stack. */
const answerMalformedUrl: ErrorRequestHandler = (
  err,
  _request,
  response,
  next,
) => {
  if (err instanceof URIError)
    response.status(400).json({ error: "malformed URL" });
  else next(err);
};
