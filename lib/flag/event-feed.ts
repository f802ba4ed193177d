import type { Redis } from "ioredis";
import type { Keys } from "../redis/keys.js";
import { follow, readNewer } from "../redis/stream-follower.js";
import { parseEvent, type LedgerEvent } from "./ledger.js";

/**
 * Calls back with each event entered in the ledger after the event `after`, or from now on. If Redis is away it tries
 * until Redis is back.
 *
 * @param options.redis becomes the feed's own, since its reads block
 * @returns what ends it. @throws when Redis is away at the start
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
