import type { Redis } from "ioredis";
import type { Keys } from "../redis/keys.js";
import { follow, readNewer } from "../redis/stream-follower.js";
import { parseEvent, type LedgerEvent } from "./ledger.js";

/**
 * Calls `onEvent` for each event added to the ledger after the event `after`, or from now on. It resumes after an outage of
 * Redis.
 *
 * @param options.redis reserved for the feed, whose reads block
 * @returns a function that ends the feed @throws if Redis is unreachable at the start
 */
export async function followEvents(options: {
  redis: Redis;
  keys: Keys;
  onEvent: (event: LedgerEvent) => void;
  after?: string;
}): Promise<() => Promise<void>> {
  const { redis, keys, onEvent } = options;
  const after = options.after ?? (await findNewest(redis, keys.events));
  const positions = { [keys.events]: after };
  return follow(redis, async () => {
    const { entries } = await readNewer(redis, positions);
    for (const { stream, id, fields } of entries) {
      positions[stream] = id;
      const event = parseEvent(id, fields);
      if (event !== undefined) onEvent(event);
    }
  });
}

async function findNewest(redis: Redis, stream: string): Promise<string> {
  const [newest] = await redis.xrevrange(stream, "+", "-", "COUNT", 1);
  return newest?.[0] ?? "0-0";
}
