import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ledger } from "../../lib/flag/ledger.js";
import { createLogger } from "../../lib/program/log.js";
import { createKeys } from "../../lib/redis/keys.js";
import { createRedis, waitForRedis } from "../../lib/redis/redis.js";
import { STORE_SETTINGS } from "../../lib/settings/base-config.js";
import { readSettings } from "../../lib/settings/settings.js";

/**
 * Records a deploy in the ledger. The playbooks run it on the host, with REDIS_URL of the user for deploys:
 *
 *     node record-deploy-main.js <sentence> <data as JSON> <folder of the release>
 */
const REDIS_WAIT_MS = 3000;

const [reason = "", data = "", folder = ""] = process.argv.slice(2);
const { redisUrl, keyPrefix } = readSettings(process.env, STORE_SETTINGS);
const redis = createRedis({
  url: redisUrl,
  name: "deploy",
  logger: createLogger("deploy", "silent"),
});
try {
  if (!(await waitForRedis(redis, REDIS_WAIT_MS)))
    throw new Error("Redis is unreachable");
  await new Ledger(redis, createKeys(keyPrefix)).record({
    kind: "deploy",
    by: "deploy",
    reason,
    data: { ...readCommit(folder), ...(JSON.parse(data) as object) },
  });
} finally {
  redis.disconnect();
}

/** Who made the release, where it says so. */
function readCommit(folder: string): Record<string, unknown> {
  const path = ["release.json", ".serin/release.json"]
    .map((name) => join(folder, name))
    .find((name) => existsSync(name));
  if (path === undefined) return {};
  const manifest = JSON.parse(readFileSync(path, "utf8")) as object;
  const { commit, author, subject } = manifest as Record<string, unknown>;
  return { commit, author, subject };
}
