import type { Redis } from "ioredis";
import { parseFlag } from "../../../lib/flag/flag-watch.js";
import type { Keys } from "../../../lib/redis/keys.js";
import { readLease } from "../../../lib/flag/lease-reading.js";
import { execAll } from "../../../lib/redis/redis.js";
import { entryTimeMs } from "../../../lib/redis/stream-entry.js";
import { parseRecovery, type RecoveryState } from "./recovery.js";

/** The flag and all that is stored about it, read in one transaction. */
export interface FlagRecord {
  value: boolean;
  /** As stored; null when absent. */
  raw: string | null;
  garbled: boolean;
  /** The value of the last flip in the ledger. It differs if a person has written to Redis directly. */
  recordedValue: boolean;
  by: string | null;
  reason: string | null;
  /** ISO 8601. */
  at: string | null;
  /** The event id of the last flip; null if there was none. */
  flip: string | null;
  /** Its time by Redis's clock, in ms; 0 if there was none. */
  flippedAtMs: number;
  recovery: RecoveryState | null;
  lease: ReturnType<typeof readLease>;
}

/** @throws when Redis is away. */
export async function readFlagRecord(
  redis: Redis,
  keys: Keys,
  flagName: string,
): Promise<FlagRecord> {
  const replies = await execAll(
    redis
      .multi()
      .get(keys.flag(flagName))
      .hgetall(keys.flagInfo(flagName))
      .get(keys.recovery(flagName))
      .get(keys.lease)
      .pttl(keys.lease),
  );
  const [raw, info, recovery, rawLease, leaseTtlMs] = replies as [
    string | null,
    Record<string, string | undefined>,
    string | null,
    string | null,
    number,
  ];
  return {
    ...parseFlag(raw, info.value !== "false"),
    raw,
    recordedValue: info.value !== "false",
    by: info.by ?? null,
    reason: info.reason ?? null,
    at: info.at ?? null,
    flip: info.event ?? null,
    flippedAtMs: info.event === undefined ? 0 : entryTimeMs(info.event),
    recovery: parseRecovery(recovery),
    lease: readLease(rawLease, leaseTtlMs),
  };
}
