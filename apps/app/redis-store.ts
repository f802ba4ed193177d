import { ReplyError, type Redis } from "ioredis";
import type { Keys } from "../../lib/redis/keys.js";
import type { Logger } from "../../lib/program/log.js";
import { StoreUnavailable } from "./errors.js";
import type { Store } from "./feature.js";

interface RedisStoreOptions {
  redis: Redis;
  keys: Keys;
  ttlS: number;
  logger: Logger;
}

/**
 * While Redis is unreachable or rejects commands, both methods throw StoreUnavailable. The first rejection (out of memory,
 * read-only replica …) is logged, until a command succeeds again. The Redis connection logs an outage itself.
 */
export class RedisStore implements Store {
  readonly #options: RedisStoreOptions;
  #isRejecting = false;

  constructor(options: RedisStoreOptions) {
    this.#options = options;
  }

  async write(key: string, value: Buffer): Promise<void> {
    const { redis, keys, ttlS } = this.#options;
    await this.#ask(redis.set(keys.kv(key), value, "EX", ttlS));
  }

  async read(key: string): Promise<Buffer | null> {
    const { redis, keys } = this.#options;
    return await this.#ask(redis.getBuffer(keys.kv(key)));
  }

  async #ask<T>(reply: Promise<T>): Promise<T> {
    try {
      const answer = await reply;
      this.#isRejecting = false;
      return answer;
    } catch (err) {
      if (err instanceof ReplyError && !this.#isRejecting) {
        this.#isRejecting = true;
        this.#options.logger.warn(
          { err },
          "Redis refuses the store's commands",
        );
      }
      throw new StoreUnavailable({ cause: err });
    }
  }
}
