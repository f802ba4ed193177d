import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { Ledger } from "../../lib/flag/ledger.js";
import { createLogger } from "../../lib/program/log.js";
import { createKeys } from "../../lib/redis/keys.js";
import { createRedis, waitForRedis } from "../../lib/redis/redis.js";
import { readStoreConfig } from "../../lib/settings/base-config.js";
import { SettingsReader } from "../../lib/settings/settings.js";

/**
 * Records a deploy in the ledger. The playbooks run it from a release on the host, with REDIS_URL of the user serin-deploy:
 *
 *     node record-deploy-main.js <environment file> <sentence> <data as JSON>
 */
const REDIS_WAIT_MS = 3000;

const [environmentPath = "", reason = "", data = ""] = process.argv.slice(2);
const { REDIS_URL } = process.env;
const settings = new SettingsReader({
  ...parseEnv(readFileSync(environmentPath, "utf8")),
  ...(REDIS_URL !== undefined && { REDIS_URL }),
});
const { redisUrl, keyPrefix } = readStoreConfig(settings);
settings.finish();
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
    data: JSON.parse(data) as Record<string, unknown>,
  });
} finally {
  redis.disconnect();
}
