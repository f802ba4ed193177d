import type { Redis } from "ioredis";
import { parseFlag } from "../../../lib/flag/flag-value.js";
import type { Keys } from "../../../lib/redis/keys.js";
import { readLease } from "../../../lib/flag/lease-reading.js";
import { entryTimeMs, toRecord } from "../../../lib/redis/stream-entry.js";
import { parseRollout, type Reading } from "../../../lib/rollout/rollout.js";
import { parseRecovery, type RecoveryState } from "./recovery.js";

/** The flag and all that is stored about it, read in one step. */
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
  rollout: Reading;
  /** The weight as stored; null when absent. */
  rawWeight: string | null;
}

/**
 * A full Redis refuses a transaction, even of reads, but not a script.
 *
 * KEYS flag, info, recovery, lease, rollout, weight
 */
const READ = `
return {
  redis.call('GET', KEYS[1]), redis.call('HGETALL', KEYS[2]), redis.call('GET', KEYS[3]),
  redis.call('GET', KEYS[4]), redis.call('PTTL', KEYS[4]),
  redis.call('HGETALL', KEYS[5]), redis.call('GET', KEYS[6]),
}
`;

/** @throws when Redis is away. */
export async function readFlagRecord(
  redis: Redis,
  keys: Keys,
  flagName: string,
): Promise<FlagRecord> {
  const names = [keys.flag(flagName), keys.flagInfo(flagName)];
  const steered = [keys.rollout(flagName), keys.flagWeight(flagName)];
  const read = [...names, keys.recovery(flagName), keys.lease, ...steered];
  const replies = await redis.eval(READ, read.length, ...read);
  const [raw, fields, recovery, rawLease, leaseTtlMs, hash, rawWeight] =
    replies as [
      string | null,
      string[],
      string | null,
      string | null,
      number,
      string[],
      string | null,
    ];
  const info: Record<string, string | undefined> = toRecord(fields);
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
    rollout: parseRollout(toRecord(hash)),
    rawWeight,
  };
}

/** Anyone may have written the value. */
export function shorten(raw: string): string {
  return raw.slice(0, 100);
}
