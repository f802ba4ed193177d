import type { Redis } from "ioredis";
import type { Keys } from "../../../lib/redis/keys.js";
import { readFlagRecord } from "../control/flag-record.js";
import type { StoredFigures } from "./monitor-metrics.js";

/** Undefined while Redis is away: what stood there before says nothing about now. */
export async function readStoredFigures(context: {
  redis: Redis;
  keys: Keys;
  config: { flagName: string };
}): Promise<StoredFigures | undefined> {
  const { redis, keys, config } = context;
  try {
    const [{ value, lease }, outboxPending, alerts] = await Promise.all([
      readFlagRecord(redis, keys, config.flagName),
      redis.xlen(keys.outbox),
      redis.hkeys(keys.alerts),
    ]);
    const leaseAgeMs = lease?.ageMs ?? null;
    return { flag: value, leaseAgeMs, outboxPending, alerts };
  } catch {
    return undefined;
  }
}
