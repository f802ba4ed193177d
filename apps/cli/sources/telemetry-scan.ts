import type { Redis } from "ioredis";
import type { Keys } from "../../../lib/redis/keys.js";
import { entryTimeMs } from "../../../lib/redis/stream-entry.js";
import {
  parseTelemetry,
  type Telemetry,
} from "../../../lib/telemetry/telemetry.js";

const PAGE = 1000;
/** The stream holds at most about 100,000. */
const MAX_PAGES = 120;

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
  let newest = "+";
  const oldest = String(Math.max(0, Math.floor(sinceMs)));
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const page = await redis.xrevrange(
      keys.telemetry,
      newest,
      oldest,
      "COUNT",
      PAGE,
    );
    for (const [id, fields] of page) {
      newest = `(${id}`;
      const telemetry = parseTelemetry(fields);
      if (!("problem" in telemetry))
        yield { ...telemetry, heardAt: entryTimeMs(id) };
    }
    if (page.length < PAGE) return;
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
