import { once } from "node:events";
import type { Redis } from "ioredis";
import { Ledger } from "../../../lib/flag/ledger.js";
import { createKeys, type Keys } from "../../../lib/redis/keys.js";
import { createRedis, whyRefused } from "../../../lib/redis/redis.js";
import { RolloutStore } from "../../../lib/rollout/rollout-store.js";
import type { StoreConfig } from "../../../lib/settings/base-config.js";
import { toPlain } from "../../../lib/wording/plain-text.js";
import { describeFailure } from "../describe-failure.js";
import { CliError, EXIT } from "../exit-status.js";

const CONNECT_TIMEOUT_MS = 3000;
const SILENT = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** Serin's data in Redis. All that reads it throws if Redis is unreachable. */
export interface Store {
  redis: Redis;
  keys: Keys;
  ledger: Ledger;
  rollouts: RolloutStore;
  flagName: string;
}

/** A connection to Redis that opens on first use. It gives up at the first failure, because a person waits. */
export class RedisLink {
  /** Host and port, without the password. */
  readonly address: string;
  readonly #config: StoreConfig;
  #redis: Redis | undefined;
  #opening: Promise<Redis> | undefined;

  constructor(config: StoreConfig) {
    this.#config = config;
    this.address = new URL(config.redisUrl).host;
  }

  /** Concurrent calls share one connection. @throws CliError if Redis is unreachable or refuses the login */
  async open(): Promise<Store> {
    const { keyPrefix, flagName } = this.#config;
    const redis = await this.#openRedis();
    const keys = createKeys(keyPrefix);
    const ledger = new Ledger(redis, keys);
    const rollouts = new RolloutStore(redis, keys, flagName);
    return { redis, keys, ledger, rollouts, flagName };
  }

  #openRedis(): Promise<Redis> {
    if (this.#redis?.status === "ready") return Promise.resolve(this.#redis);
    this.#opening ??= this.#connect().finally(
      () => (this.#opening = undefined),
    );
    return this.#opening;
  }

  async #connect(): Promise<Redis> {
    this.close();
    const { redisUrl: url } = this.#config;
    const redis = createRedis({ url, name: "serin", logger: SILENT });
    this.#redis = redis;
    try {
      // It also rejects at the first `error` event.
      await once(redis, "ready", {
        signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS),
      });
      return redis;
    } catch (err) {
      this.close();
      throw explain(err, this.address);
    }
  }

  close(): void {
    this.#redis?.disconnect();
    this.#redis = undefined;
  }
}

/** Turns an error of Redis or of its connection into a CliError. Returns other errors unchanged. */
export function explainRedisError(err: unknown, address: string): unknown {
  if (!(err instanceof Error)) return err;
  const isOfRedis =
    ["ReplyError", "MaxRetriesPerRequestError", "AbortError"].includes(
      err.name,
    ) || /^(Connection is closed|Stream isn't writeable)/.test(err.message);
  return isOfRedis ? explain(err, address) : err;
}

/** Whether Redis refused a command because the user lacks the right. */
export function isNotPermitted(err: unknown): boolean {
  return err instanceof Error && err.message.startsWith("NOPERM");
}

function explain(failure: unknown, address: string): CliError {
  const refusal = whyRefused(failure);
  return refusal === undefined
    ? new CliError(
        EXIT.unreachable,
        `Redis at ${address} cannot be reached: ${describeFailure(failure)}`,
      )
    : new CliError(
        EXIT.refused,
        `Redis at ${address} refuses: ${toPlain(refusal)}`,
      );
}
