import { ReplyError, type Redis } from "ioredis";
import type { Keys } from "../../lib/redis/keys.js";
import type { Logger } from "../../lib/program/log.js";
import {
  writeTelemetry,
  type HostSample,
} from "../../lib/telemetry/telemetry.js";

/**
 * Drops samples while Redis is unreachable or rejects them, because old samples are useless. The first rejection is logged,
 * until a sample is accepted again. The Redis connection logs an outage itself.
 */
export class SampleSender {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #source: string;
  readonly #logger: Logger;
  #isRejecting = false;

  constructor(options: {
    redis: Redis;
    keys: Keys;
    source: string;
    logger: Logger;
  }) {
    this.#redis = options.redis;
    this.#keys = options.keys;
    this.#source = options.source;
    this.#logger = options.logger;
  }

  async send(data: HostSample): Promise<void> {
    const entry = { source: this.#source, at: Date.now(), data };
    try {
      await writeTelemetry(this.#redis, this.#keys, [
        { kind: "host", ...entry },
      ]);
      this.#isRejecting = false;
    } catch (err) {
      if (!(err instanceof ReplyError) || this.#isRejecting) return;
      this.#isRejecting = true;
      this.#logger.warn({ err }, "Redis refuses samples: they are dropped");
    }
  }
}
