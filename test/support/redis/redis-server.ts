import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import { startPrivateRedis, type PrivateRedis } from "./private-redis.js";
import { Reaper } from "../../../apps/launcher/processes/reaper.js";
import { createKeys, type Keys } from "../../../lib/redis/keys.js";

let privateRedis: PrivateRedis | undefined;
/** Mocha has no teardown after Ctrl-C, and none of its own ends it. */
let reaper: Reaper | undefined;

/** Mocha's global set-up: one private Redis for all tests, unless TEST_REDIS_URL names another. */
export async function mochaGlobalSetup(): Promise<void> {
  if (process.env.TEST_REDIS_URL !== undefined) return;
  reaper = new Reaper();
  privateRedis = await startPrivateRedis();
  reaper.watch(privateRedis.pid);
}

export async function mochaGlobalTeardown(): Promise<void> {
  await reaper?.close();
  await privateRedis?.stop();
}

export function redisUrl(): string {
  const url = process.env.TEST_REDIS_URL ?? privateRedis?.url;
  if (url === undefined) throw new Error("the global set-up has not run");
  return url;
}

/** A key prefix that no other test uses. */
export function freshKeys(): Keys {
  return createKeys(`test-${randomBytes(6).toString("hex")}:`);
}

/** A connection of the test's own, to look at and write to Redis; the test quits it. */
export function connectRedis(url = redisUrl()): Redis {
  return new Redis(url, { protocol: 2 });
}
