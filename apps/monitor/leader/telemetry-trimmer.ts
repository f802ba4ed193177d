import type { Redis } from "ioredis";
import type { Keys } from "../../../lib/redis/keys.js";
import type { Logger } from "../../../lib/program/log.js";
import type { Leadership } from "./leadership.js";

const INTERVAL_MS = 60_000;
/** Slightly more than the charts show. */
const KEEP_MS = 1_200_000;

/** Removes old telemetry while this monitor leads, by Redis's clock: writers' clocks may be wrong. */
export class TelemetryTrimmer {
  readonly #timer: NodeJS.Timeout;

  constructor(options: {
    redis: Redis;
    keys: Keys;
    leadership: Pick<Leadership, "fence" | "redisNow">;
    logger: Logger;
    intervalMs?: number;
  }) {
    const { redis, keys, leadership, logger } = options;
    this.#timer = setInterval(() => {
      const now = leadership.redisNow();
      if (leadership.fence === undefined || now === undefined) return;
      redis
        .xtrim(keys.telemetry, "MINID", "~", Math.floor(now - KEEP_MS))
        .catch((err: unknown) => {
          logger.debug({ err }, "telemetry was not trimmed");
        });
    }, options.intervalMs ?? INTERVAL_MS);
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
