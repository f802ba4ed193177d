import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import { createKeys, type Keys } from "../../../lib/redis/keys.js";

/** The Redis of all tests. */
export function redisUrl(): string {
  const url = process.env.TEST_REDIS_URL;
  if (url === undefined) throw new Error("the global set-up has not run");
  return url;
}

/** A key prefix that no other test uses. */
export function freshKeys(): Keys {
  return createKeys(`test-${randomBytes(6).toString("hex")}:`);
}

/** Connects to Redis, to read and write in a test. The test closes the connection. */
export function connectRedis(url = redisUrl()): Redis {
  // Inferring its type argument takes the type check 4 s, also in lib/redis.
  return new Redis<"legacy">(url, { protocol: 2 });
}
