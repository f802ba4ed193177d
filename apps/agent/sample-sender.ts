import { ReplyError, type Redis } from "ioredis";
import type { Keys } from "../../lib/redis/keys.js";
import type { Logger } from "../../lib/program/log.js";
import {
  writeTelemetry,
  type HostSample,
} from "../../lib/telemetry/telemetry.js";

interface SampleSenderOptions {
  redis: Redis;
  keys: Keys;
  source: string;
  logger: Logger;
}

/**
 * Drops samples while Redis is unreachable or rejects them, because old samples are useless. The first rejection is logged,
 * until a sample is accepted again. The Redis connection logs an outage itself.
 */
export class SampleSender {
  readonly #options: SampleSenderOptions;
  #isRejecting = false;

  constructor(options: SampleSenderOptions) {
    this.#options = options;
  }

  async send(data: HostSample): Promise<void> {
    const { redis, keys, source, logger } = this.#options;
    try {
      const entry = { kind: "host", source, at: Date.now(), data } as const;
      await writeTelemetry(redis, keys, [entry]);
      this.#isRejecting = false;
    } catch (err) {
      if (!(err instanceof ReplyError) || this.#isRejecting) return;
      this.#isRejecting = true;
      logger.warn({ err }, "Redis refuses samples: they are dropped");
    }
  }
}
