import { ReplyError, type Redis } from "ioredis";
import type { Keys } from "../../lib/redis/keys.js";
import type { Logger } from "../../lib/program/log.js";
import { StoreUnavailable } from "./errors.js";
import type { Store } from "./feature.js";

/**
 * While Redis is unreachable or rejects commands, both methods throw StoreUnavailable. The first rejection (out of memory,
 * read-only replica …) is logged, until a command succeeds again. The Redis connection logs an outage itself.
 */
export class RedisStore implements Store {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #ttlS: number;
  readonly #logger: Logger;
  #isRejecting = false;

  constructor(options: {
    redis: Redis;
    keys: Keys;
    ttlS: number;
    logger: Logger;
  }) {
    this.#redis = options.redis;
    this.#keys = options.keys;
    this.#ttlS = options.ttlS;
    this.#logger = options.logger;
  }

  async write(key: string, value: Buffer): Promise<void> {
    await this.#ask(
      this.#redis.set(this.#keys.kv(key), value, "EX", this.#ttlS),
    );
  }

  async read(key: string): Promise<Buffer | null> {
    return await this.#ask(this.#redis.getBuffer(this.#keys.kv(key)));
  }

  async #ask<T>(reply: Promise<T>): Promise<T> {
    try {
      const answer = await reply;
      this.#isRejecting = false;
      return answer;
    } catch (err) {
      if (err instanceof ReplyError && !this.#isRejecting) {
        this.#isRejecting = true;
        this.#logger.warn({ err }, "Redis refuses the store's commands");
      }
      throw new StoreUnavailable("Redis did not answer", { cause: err });
    }
  }
}
