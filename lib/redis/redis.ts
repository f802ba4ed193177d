import { Redis, ReplyError, type ChainableCommander } from "ioredis";
import { backOffMs } from "../program/back-off.js";
import type { Logger } from "../program/log.js";

const REPLY_TIMEOUT_MS = 3000;
const RECONNECT = { firstMs: 50, maxMs: 500 };

/** A fail-over that has not reached the endpoint yet is not chased more often. */
const MOVE_INTERVAL_MS = 1000;

/** This process's connections to one endpoint. */
interface Endpoint {
  readonly connections: Set<Redis>;
  /** Monotonic ms. */
  movedAt: number;
}

const endpoints = new Map<string, Endpoint>();
/** Why Redis refused each connection that is away, in its words. */
const refusals = new WeakMap<Redis, string>();

/**
 * Opens a connection that reconnects for ever. While Redis is unreachable, commands fail at once instead of queueing: each
 * caller has its own policy, and a write that is repeated later could be applied twice.
 *
 * A server that refuses a write as a replica has been demoted by a fail-over behind its endpoint. All connections of this
 * process to that endpoint are then opened again, also those that only read.
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
    reconnectOnError: (err) => {
      const isDemoted = /(^|-)READONLY /.test(err.message);
      if (isDemoted) moveOthers(url, redis);
      return isDemoted;
    },
  });
  const { connections } = endpointOf(url);
  connections.add(redis);
  redis.once("end", () => connections.delete(redis));
  logOutages(redis, { name, logger });
  return redis;
}

function endpointOf(url: string): Endpoint {
  const known = endpoints.get(url);
  if (known !== undefined) return known;
  const endpoint = { connections: new Set<Redis>(), movedAt: -Infinity };
  endpoints.set(url, endpoint);
  return endpoint;
}

function moveOthers(url: string, refused: Redis): void {
  const endpoint = endpointOf(url);
  const now = performance.now();
  if (now - endpoint.movedAt < MOVE_INTERVAL_MS) return;
  endpoint.movedAt = now;
  for (const redis of endpoint.connections)
    if (redis !== refused && redis.status === "ready") redis.disconnect(true);
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

export function describeRedisError(err: unknown, redis?: Redis): string {
  const refusal = whyRefused(err, redis);
  return refusal === undefined
    ? "Redis cannot be reached"
    : `Redis refuses: ${refusal}`;
}

/**
 * Redis's own reason for a failed command: of a transaction, that of the command that was refused; on a connection that is
 * away, why that was refused. Undefined if Redis did not answer.
 */
export function whyRefused(err: unknown, redis?: Redis): string | undefined {
  const { previousErrors } = (err ?? {}) as { previousErrors?: unknown[] };
  const cause = previousErrors?.[0] ?? err;
  return cause instanceof ReplyError
    ? (cause as Error).message.replace(/ script: .*/s, "")
    : redis && refusals.get(redis);
}

/**
 * Logs one line when an outage begins, one for each reason for which Redis then refuses the connection, and one when it ends,
 * but not each attempt to reconnect.
 */
function logOutages(
  redis: Redis,
  context: { name: string; logger: Logger },
): void {
  let away = false;
  const told = new Set<string>();
  redis.on("error", (err: Error) => {
    const refusal = whyRefused(err);
    if (refusal !== undefined) refusals.set(redis, refusal);
    if (away && (refusal === undefined || told.has(refusal))) return;
    away = true;
    if (refusal !== undefined) told.add(refusal);
    context.logger.warn({ err, connection: context.name }, "Redis is away");
  });
  redis.on("close", () => {
    if (away || redis.status === "end") return;
    away = true;
    context.logger.warn({ connection: context.name }, "Redis connection lost");
  });
  redis.on("ready", () => {
    refusals.delete(redis);
    if (!away) return;
    away = false;
    told.clear();
    context.logger.info({ connection: context.name }, "Redis is back");
  });
}
