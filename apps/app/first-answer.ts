import { setTimeout } from "node:timers/promises";
import type { Redis } from "ioredis";

/**
 * Resolves when the flag has been read and the store is reachable, or after `timeoutMs`. An app that served requests before
 * that would reject the feature right after each restart. Without Redis it has to.
 */
export async function awaitFirstAnswer(options: {
  redis: Redis;
  flag: {
    readonly current: object | undefined;
    onChange: (listener: () => void) => void;
  };
  timeoutMs: number;
}): Promise<void> {
  const { redis, flag, timeoutMs } = options;
  const answered = Promise.all([
    redis.status === "ready" ||
      new Promise((resolve) => redis.once("ready", resolve)),
    flag.current !== undefined ||
      new Promise<void>((resolve) => flag.onChange(resolve)),
  ]);
  const ended = new AbortController();
  await Promise.race([
    answered,
    setTimeout(timeoutMs, undefined, { signal: ended.signal }).catch(
      () => undefined,
    ),
  ]);
  ended.abort();
}
