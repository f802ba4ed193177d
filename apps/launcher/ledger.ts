import type { Redis } from "ioredis";
import { followEvents } from "../../lib/flag/event-feed.js";
import {
  describeEvent,
  type LedgerEvent,
} from "../../lib/flag/ledger-event.js";
import { Ledger } from "../../lib/flag/ledger.js";
import type { Logger } from "../../lib/program/log.js";
import { createKeys } from "../../lib/redis/keys.js";
import { createRedis, waitForRedis } from "../../lib/redis/redis.js";
import { LaunchError } from "./config.js";
import type { LaunchContext } from "./launch-context.js";
import { redisUrlOf, type Layout } from "./processes/programs.js";
import { createScreenLogger } from "./screen.js";

const REDIS_TIMEOUT_MS = 2000;

/** Connects to Redis. @returns what shows the ledger's new events until the launcher stops */
export async function connectLedger(
  layout: Layout,
  { screen, closers, signal }: LaunchContext,
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
  const { keyPrefix, flagName } = layout.config;
  const url = redisUrlOf(layout);
  // The other connection is blocked by the feed of events.
  const redis = createRedis({ url, name: "launcher-flag", logger });
  try {
    await expectRedis(redis, url);
    await new Ledger(redis, createKeys(keyPrefix)).flip(flagName, {
      by: "operator",
      value: true,
      reason: "resumed in the terminal of serin dev",
      data: {},
    });
  } finally {
    redis.disconnect();
  }
}
