import { once } from "node:events";
import type { Redis } from "ioredis";
import { createRedis } from "../../../lib/redis/redis.js";
import { describeFailure } from "../describe-failure.js";
import { CliError, EXIT } from "../exit-status.js";

const CONNECT_TIMEOUT_MS = 3000;
const SILENT = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
const REFUSALS = /^(WRONGPASS|NOAUTH|NOPERM|ERR AUTH|ERR Client sent AUTH)/;

/** A connection to Redis that opens on first use. It gives up at the first failure, because a person waits. */
export class RedisLink {
  readonly #url: string;
  #redis: Redis | undefined;
  #opening: Promise<Redis> | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  /** Host and port, without the password. */
  get address(): string {
    return new URL(this.#url).host;
  }

  /** Concurrent calls share one connection. @throws CliError if Redis is unreachable or refuses the login */
  open(): Promise<Redis> {
    if (this.#redis?.status === "ready") return Promise.resolve(this.#redis);
    this.#opening ??= this.#connect().finally(
      () => (this.#opening = undefined),
    );
    return this.#opening;
  }

  async #connect(): Promise<Redis> {
    this.close();
    const redis = createRedis({
      url: this.#url,
      name: "serin",
      logger: SILENT,
    });
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
  const message = failure instanceof Error ? failure.message : "";
  const why = describeFailure(failure);
  return REFUSALS.test(message)
    ? new CliError(EXIT.refused, `Redis at ${address} refuses: ${why}`)
    : new CliError(
        EXIT.unreachable,
        `Redis at ${address} cannot be reached: ${why}`,
      );
}
