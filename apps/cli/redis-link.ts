import type { Redis } from "ioredis";
import { createRedis, waitForRedis } from "../../lib/redis.js";
import { describeFailure } from "./describe-failure.js";
import { CliError, EXIT } from "./exit-status.js";

const CONNECT_TIMEOUT_MS = 3000;
const SILENT = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
const REFUSALS = /^(WRONGPASS|NOAUTH|NOPERM|ERR AUTH|ERR Client sent AUTH)/;

/** A connection to Redis that is opened when it is first needed. It gives up at the first failure: a person waits. */
export class RedisLink {
  readonly #url: string;
  #redis: Redis | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  /** Host and port: never the password. */
  get address(): string {
    return new URL(this.#url).host;
  }

  /** @throws CliError when Redis is away or refuses to sign in. */
  async open(): Promise<Redis> {
    if (this.#redis?.status === "ready") return this.#redis;
    this.close();
    const redis = createRedis({
      url: this.#url,
      name: "serin",
      logger: SILENT,
    });
    this.#redis = redis;
    let failure: unknown;
    const failed = new Promise<boolean>((resolve) =>
      redis.once("error", (err) => {
        failure = err;
        resolve(false);
      }),
    );
    const ready = waitForRedis(redis, CONNECT_TIMEOUT_MS);
    if (await Promise.race([ready, failed])) return redis;
    this.close();
    throw explain(failure, this.address);
  }

  close(): void {
    this.#redis?.disconnect();
    this.#redis = undefined;
  }
}

/** What Redis, or its absence, made of a command. Anything else is no failure of Redis and stays as it is. */
export function explainRedisError(err: unknown, address: string): unknown {
  if (!(err instanceof Error)) return err;
  const isOfRedis =
    ["ReplyError", "MaxRetriesPerRequestError", "AbortError"].includes(
      err.name,
    ) || /^(Connection is closed|Stream isn't writeable)/.test(err.message);
  return isOfRedis ? explain(err, address) : err;
}

function explain(failure: unknown, address: string): CliError {
  const message = failure instanceof Error ? failure.message : "";
  if (REFUSALS.test(message))
    return new CliError(
      EXIT.refused,
      `Redis at ${address} refuses: ${describeFailure(failure)}`,
    );
  const why =
    failure === undefined ? "no answer in time" : describeFailure(failure);
  return new CliError(
    EXIT.unreachable,
    `Redis at ${address} cannot be reached: ${why}`,
  );
}
