import type { Redis } from "ioredis";
import type { Keys } from "../../../lib/redis/keys.js";
import { Ledger, type LedgerEvent } from "../../../lib/flag/ledger.js";
import { toRecord } from "../../../lib/redis/stream-entry.js";
import { onCleanup } from "../cleanup.js";
import { connectRedis, freshKeys } from "./redis-server.js";

/** The keys of one test in Redis, as an operator sees them. */
export interface TestRedis {
  redis: Redis;
  keys: Keys;
  ledger: Ledger;
  /** Oldest first. */
  events: () => Promise<LedgerEvent[]>;
  /** The fields of each entry, oldest first. */
  outbox: () => Promise<Record<string, string>[]>;
}

/** Opens a connection with its own key prefix. */
export function openTestRedis(
  options: { url?: string; keys?: Keys } = {},
): TestRedis {
  const redis = connectRedis(options.url);
  // Tests kill servers; the commands report the failure.
  redis.on("error", () => undefined);
  onCleanup(() => redis.disconnect());
  const keys = options.keys ?? freshKeys();
  const ledger = new Ledger(redis, keys);
  return {
    redis,
    keys,
    ledger,
    events: async () => (await ledger.readEvents({ limit: 1000 })).toReversed(),
    outbox: async () => {
      const entries = await redis.xrange(keys.outbox, "-", "+");
      return entries.map(([, fields]) => toRecord(fields));
    },
  };
}
