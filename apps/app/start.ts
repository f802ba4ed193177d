import { createServer } from "node:http";
import { hostname } from "node:os";
import { createFlags } from "../../lib/client/client.js";
import { HttpService } from "../../lib/program/http-service.js";
import { createKeys } from "../../lib/redis/keys.js";
import type { Closers } from "../../lib/program/lifecycle.js";
import type { Logger } from "../../lib/program/log.js";
import { createRedis, waitForRedis } from "../../lib/redis/redis.js";
import type { AppConfig } from "./config.js";
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
  // An app that served requests before Redis has answered would reject the feature right after each restart.
  const [flags] = await Promise.all([
    createFlags({
      ...{ redisUrl: config.redisUrl, keyPrefix: config.keyPrefix, flagName },
      timeoutMs: FIRST_ANSWER_TIMEOUT_MS,
      onWarning: (line) => logger.warn({}, line),
    }),
    waitForRedis(redis, FIRST_ANSWER_TIMEOUT_MS),
  ]);
  closers.add("flags", () => flags.close());

  const service = new HttpService(createServer());
  const whyNotReady = () => (service.draining ? "stopping" : flags.whyUnknown);
  const app = createApp({
    identity: { role, version, host: hostname() },
    flagName,
    flags,
    store: new RedisStore({ redis, keys, ttlS: config.kvTtlS, logger }),
    slowMs: config.slowMs,
    faults: config.faults,
    whyNotReady,
    logger,
  });
  service.server.on("request", app);
  const port = await service.listen(config);

  closers.add("server", () => service.close(config.drainMs));
  logger.info({ port, role, version }, "app listens");
}
