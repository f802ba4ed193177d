import { createServer } from "node:http";
import { hostname } from "node:os";
import { FlagWatch } from "../../lib/flag/flag-watch.js";
import { HttpService } from "../../lib/program/http-service.js";
import { createKeys } from "../../lib/redis/keys.js";
import type { Closers } from "../../lib/program/lifecycle.js";
import type { Logger } from "../../lib/program/log.js";
import { createRedis } from "../../lib/redis/redis.js";
import type { AppConfig } from "./config.js";
import { awaitFirstAnswer } from "./first-answer.js";
import { RedisStore } from "./redis-store.js";
import { createApp } from "./app.js";

/** Longest a request waits for a Redis that is connected but silent. */
const REPLY_TIMEOUT_MS = 1000;
/** Longest the start waits for Redis before requests are taken without it. */
const FIRST_ANSWER_TIMEOUT_MS = 1000;

/** Opens everything the app consists of and connects it; what it opens, it registers to be closed. */
export async function startApp(
  config: AppConfig,
  { logger, closers }: { logger: Logger; closers: Closers },
): Promise<void> {
  const { role, version, flagName } = config;
  const keys = createKeys(config.keyPrefix);
  const redis = createRedis({
    url: config.redisUrl,
    name: "app",
    logger,
    replyTimeoutMs: REPLY_TIMEOUT_MS,
  });
  closers.add("Redis", () => redis.disconnect());
  const flag = new FlagWatch({
    redisUrl: config.redisUrl,
    program: "app",
    keys,
    flagName,
    logger,
  });
  closers.add("flag watch", () => flag.close());

  const service = new HttpService(createServer());
  const whyNotReady = () => {
    if (service.draining) return "stopping";
    const { current, refusal } = flag;
    if (current === undefined && refusal !== undefined) return refusal;
    return current === undefined ? "Redis has not answered yet" : null;
  };
  const app = createApp({
    identity: { role, version, host: hostname() },
    flagName,
    flag,
    store: new RedisStore({ redis, keys, ttlS: config.kvTtlS, logger }),
    slowMs: config.slowMs,
    faults: config.faults,
    whyNotReady,
    logger,
  });
  service.server.on("request", app);
  await awaitFirstAnswer({ redis, flag, timeoutMs: FIRST_ANSWER_TIMEOUT_MS });
  const port = await service.listen(config);

  closers.add("server", () => service.close(config.drainMs));
  logger.info({ port, role, version }, "app listens");
}
