import { Redis, ReplyError, type ChainableCommander } from "ioredis";
import { backOffMs } from "../program/back-off.js";
import type { Logger } from "../program/log.js";

const REPLY_TIMEOUT_MS = 3000;
const RECONNECT = { firstMs: 50, maxMs: 500 };

/**
 * Opens a connection that reconnects for ever. While Redis is unreachable, commands fail at once instead of queueing: each
 * caller has its own policy, and a write that is repeated later could be applied twice.
 */
export function createRedis(options: {
  url: string;
  name: string;
  logger: Logger;
  /** Reconnects if a reply takes longer (3 s by default). No command may block longer. */
  replyTimeoutMs?: number;
}): Redis {
  const { url, name, logger, replyTimeoutMs = REPLY_TIMEOUT_MS } = options;
  const redis = new Redis<"legacy">(url, {
    // ioredis 6 does not dispatch RESP3 `invalidate` pushes, which the flag watch needs.
    protocol: 2,
    connectionName: name,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2000,
    keepAlive: 5000,
    retryStrategy: (attempt) => backOffMs(attempt, RECONNECT),
    socketTimeout: replyTimeoutMs,
  });
  logOutages(redis, { name, logger });
  return redis;
}

/** Waits up to `timeoutMs` for the connection. Never throws, because every program also runs without Redis. */
export async function waitForRedis(
  redis: Redis,
  timeoutMs: number,
): Promise<boolean> {
  if (redis.status === "ready") return true;
  return await new Promise((resolve) => {
    const finish = (ready: boolean) => {
      clearTimeout(timer);
      redis.off("ready", onReady);
      resolve(ready);
    };
    const onReady = () => finish(true);
    const timer = setTimeout(finish, timeoutMs, false);
    redis.once("ready", onReady);
  });
}

/** Runs a pipeline or transaction. @returns the replies @throws the first error of any of its commands */
export async function execAll(
  pipeline: ChainableCommander,
): Promise<unknown[]> {
  const replies = (await pipeline.exec()) ?? [];
  const failure = replies.find(([err]) => err !== null)?.[0];
  if (failure) throw failure;
  return replies.map(([, reply]) => reply);
}

/** Redis's own reason for a failed command: of a transaction, that of the command that was refused. */
export function describeRedisError(err: unknown): string {
  const { previousErrors } = err as { previousErrors?: unknown[] };
  const cause = previousErrors?.[0] ?? err;
  if (!(cause instanceof ReplyError)) return "Redis cannot be reached";
  return `Redis refuses: ${(cause as Error).message.replace(/ script: .*/s, "")}`;
}

/** Logs one line when an outage begins and one when it ends, but not each attempt to reconnect. */
function logOutages(
  redis: Redis,
  context: { name: string; logger: Logger },
): void {
  let away = false;
  redis.on("error", (err: Error) => {
    if (away) return;
    away = true;
    context.logger.warn({ err, connection: context.name }, "Redis is away");
  });
  redis.on("close", () => {
    if (away || redis.status === "end") return;
    away = true;
    context.logger.warn({ connection: context.name }, "Redis connection lost");
  });
  redis.on("ready", () => {
    if (!away) return;
    away = false;
    context.logger.info({ connection: context.name }, "Redis is back");
  });
}
