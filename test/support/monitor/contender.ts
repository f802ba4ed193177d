import type { Redis } from "ioredis";
import { Leadership } from "../../../apps/monitor/leader/leadership.js";
import type { Keys } from "../../../lib/redis/keys.js";
import { createRedis } from "../../../lib/redis/redis.js";
import { onCleanup } from "../cleanup.js";
import { createMemoryLogger, type LogLine } from "../logger.js";
import { redisUrl } from "../redis/redis-server.js";

/** A contender for the lease and its history. */
export interface Contender {
  leadership: Leadership;
  redis: Redis;
  /** `lead <fence>` and `lose`, in order. */
  history: string[];
  /** The messages of failed requests. */
  failures: string[];
  log: LogLine[];
}

/** Contends until the test ends. */
export function startContender(
  holder: string,
  keys: Keys,
  options: { url?: string; replyTimeoutMs?: number } = {},
): Contender {
  const logger = createMemoryLogger();
  const history: string[] = [];
  const redis = createRedis({
    url: options.url ?? redisUrl(),
    name: holder,
    logger,
    ...(options.replyTimeoutMs === undefined
      ? {}
      : { replyTimeoutMs: options.replyTimeoutMs }),
  });
  const leadership = new Leadership({
    redis,
    keys,
    flagName: "feature",
    holder,
    logger,
    onLead: (fence) => void history.push(`lead ${fence}`),
    onLose: () => void history.push("lose"),
  });
  const failures: string[] = [];
  const rounds = setInterval(() => {
    if (redis.status === "ready" && leadership.isDue)
      leadership.hold().catch((err: unknown) => failures.push(String(err)));
  }, 50);
  onCleanup(async () => {
    clearInterval(rounds);
    await leadership.close();
    redis.disconnect();
  });
  return { leadership, redis, history, failures, log: logger.lines };
}
