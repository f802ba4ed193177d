import type { Redis } from "ioredis";
import type { Keys } from "../../../lib/redis/keys.js";
import { readBackwards } from "../../../lib/redis/stream-follower.js";
import { entryTimeMs } from "../../../lib/redis/stream-entry.js";
import {
  parseTelemetry,
  type Telemetry,
} from "../../../lib/telemetry/telemetry.js";

export type Heard = Telemetry & {
  /** When Redis took it, in ms by its clock. */
  heardAt: number;
};

/** What proxies and agents told, newest first, as far back as `sinceMs` by Redis's clock. @throws when Redis is away. */
export async function* scanTelemetry(
  redis: Redis,
  keys: Keys,
  sinceMs: number,
): AsyncGenerator<Heard> {
  const oldest = String(Math.max(0, Math.floor(sinceMs)));
  for await (const [id, fields] of readBackwards(
    redis,
    keys.telemetry,
    oldest,
  )) {
    const telemetry = parseTelemetry(fields);
    if (!("problem" in telemetry))
      yield { ...telemetry, heardAt: entryTimeMs(id) };
  }
}

/** Redis's clock in ms; this host's where the user may not ask for it. @throws when Redis is away. */
export async function readRedisTime(redis: Redis): Promise<number> {
  try {
    const [seconds, microseconds] = await redis.time();
    return Number(seconds) * 1000 + Number(microseconds) / 1000;
  } catch (err) {
    if (err instanceof Error && err.message.startsWith("NOPERM"))
      return Date.now();
    throw err;
  }
}
