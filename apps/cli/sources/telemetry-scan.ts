import type { Redis } from "ioredis";
import { readBackwards } from "../../../lib/redis/stream-follower.js";
import { entryTimeMs } from "../../../lib/redis/stream-entry.js";
import {
  parseTelemetry,
  type Telemetry,
} from "../../../lib/telemetry/telemetry.js";
import { isNotPermitted, type Store } from "./redis-link.js";

/** A window or sample with the time at which Redis received it, in ms by its clock. */
export type Heard = Telemetry & { heardAt: number };

/** Windows and samples since `sinceMs` by Redis's clock, newest first. */
export async function* scanTelemetry(
  { redis, keys }: Store,
  sinceMs: number,
): AsyncGenerator<Heard> {
  const oldest = String(Math.max(0, Math.floor(sinceMs)));
  const entries = readBackwards(redis, keys.telemetry, oldest);
  for await (const [id, fields] of entries) {
    const telemetry = parseTelemetry(fields);
    if (!("problem" in telemetry))
      yield { ...telemetry, heardAt: entryTimeMs(id) };
  }
}

/** The same as an array. */
export async function readTelemetry(
  ...args: Parameters<typeof scanTelemetry>
): Promise<Heard[]> {
  const heard: Heard[] = [];
  for await (const entry of scanTelemetry(...args)) heard.push(entry);
  return heard;
}

/** The newest entry of each source, sorted by source. @param heard newest first */
export function newestOf<T extends Heard>(heard: readonly T[]): T[] {
  const bySource = new Map(heard.toReversed().map((one) => [one.source, one]));
  return [...bySource.values()].sort((a, b) =>
    a.source.localeCompare(b.source),
  );
}

/** Redis's clock in ms, or this host's if the user has no right to TIME. */
export async function readRedisTime(redis: Redis): Promise<number> {
  try {
    const [seconds, microseconds] = await redis.time();
    return Number(seconds) * 1000 + Number(microseconds) / 1000;
  } catch (err) {
    if (isNotPermitted(err)) return Date.now();
    throw err;
  }
}
