import { ReplyError, type Redis } from "ioredis";
import type { Keys } from "../../lib/redis/keys.js";
import type { Logger } from "../../lib/program/log.js";
import {
  writeTelemetry,
  type HostSample,
} from "../../lib/telemetry/telemetry.js";

/**
 * Sends samples, and drops them while Redis is unreachable or rejects them, because old samples are useless. The first
 * rejection is logged, until a sample is accepted again. The Redis connection logs an outage itself.
 */
export function createSampleSender(options: {
  redis: Redis;
  keys: Keys;
  source: string;
  logger: Logger;
}): (sample: HostSample) => Promise<void> {
  const { redis, keys, source, logger } = options;
  let isRejecting = false;
  return async (data) => {
    try {
      const entry = { kind: "host", source, at: Date.now(), data } as const;
      await writeTelemetry(redis, keys, [entry]);
      isRejecting = false;
    } catch (err) {
      if (!(err instanceof ReplyError) || isRejecting) return;
      isRejecting = true;
      logger.warn({ err }, "Redis refuses samples: they are dropped");
    }
  };
}
