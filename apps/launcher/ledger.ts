import type { Redis } from "ioredis";
import { followEvents } from "../../lib/flag/event-feed.js";
import {
  describeEvent,
  type LedgerEvent,
} from "../../lib/flag/ledger-event.js";
import { Ledger } from "../../lib/flag/ledger.js";
import type { Logger } from "../../lib/program/log.js";
import { createKeys, type Keys } from "../../lib/redis/keys.js";
import { createRedis, waitForRedis } from "../../lib/redis/redis.js";
import { LaunchError } from "./config.js";
import type { LaunchContext } from "./launch-context.js";
import { redisUrlOf, type Layout } from "./processes/programs.js";
import { createScreenLogger } from "./screen/screen.js";

const REDIS_TIMEOUT_MS = 2000;

/** Connects to Redis. @returns what shows the ledger's new events, and passes them on, until the launcher stops */
export async function connectLedger(
  layout: Layout,
  { screen, closers, signal }: LaunchContext,
  react: (event: LedgerEvent) => void,
): Promise<() => Promise<void>> {
  const url = redisUrlOf(layout);
  const logger = createScreenLogger(screen);
  const redis = createRedis({ url, name: "launcher", logger });
  closers.add("Redis", () => redis.disconnect());
  const keys = createKeys(layout.config.keyPrefix);
  const onEvent = (event: LedgerEvent) => {
    if (signal.aborted) return;
    const at = new Date(event.at);
    screen.event(event.kind, describeEvent(event), { at });
    react(event);
  };
  await expectRedis(redis, url);
  return async () =>
    closers.add("ledger", await followEvents({ redis, keys, onEvent }));
}

async function expectRedis(redis: Redis, url: string): Promise<void> {
  if (await waitForRedis(redis, REDIS_TIMEOUT_MS)) return;
  throw new LaunchError(
    `no Redis answers at ${new URL(url).host}: start it, set REDIS_URL to another Redis, or unset REDIS_URL for a private one`,
  );
}

/** Sets the flag to true, as an operator does. */
export async function resumeFlag(
  layout: Layout,
  logger: Logger,
): Promise<void> {
  await withRedis(layout, logger, async (redis, keys) => {
    await new Ledger(redis, keys).flip(layout.config.flagName, {
      by: "operator",
      value: true,
      reason: "resumed in the terminal of serin dev",
      data: {},
    });
  });
}

/** Opens another connection for a while: that of the ledger is blocked by the feed of events. */
export async function withRedis<T>(
  layout: Layout,
  logger: Logger,
  use: (redis: Redis, keys: Keys) => Promise<T>,
): Promise<T> {
  const url = redisUrlOf(layout);
  const redis = createRedis({ url, name: "launcher-flag", logger });
  try {
    await expectRedis(redis, url);
    return await use(redis, createKeys(layout.config.keyPrefix));
  } finally {
    redis.disconnect();
  }
}
