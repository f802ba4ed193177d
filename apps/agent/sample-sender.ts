import { ReplyError, type Redis } from "ioredis";
import type { Keys } from "../../lib/redis/keys.js";
import type { Logger } from "../../lib/program/log.js";
import {
  writeTelemetry,
  type HostSample,
} from "../../lib/telemetry/telemetry.js";

/**
 * While Redis is away or refuses, samples are dropped: an old one says nothing about now. What Redis answers when it
 * refuses is logged once, until it takes a sample again; that it is away, its connection logs.
 */
export class SampleSender {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #source: string;
  readonly #logger: Logger;
  #refusing = false;

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
      this.#refusing = false;
    } catch (err) {
      if (!(err instanceof ReplyError) || this.#refusing) return;
      this.#refusing = true;
      this.#logger.warn({ err }, "Redis refuses samples: they are dropped");
    }
  }
}
