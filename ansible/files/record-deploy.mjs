// Records a deploy in the ledger: node … <release folder> <environment file> <sentence> <data as JSON>
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseEnv } from "node:util";

const [, release, environmentPath, reason, data] = process.argv;
const lib = (name) =>
  import(pathToFileURL(resolve(release, "dist/lib", `${name}.js`)).href);
const [
  { createLogger },
  { createKeys },
  { Ledger },
  { createRedis, waitForRedis },
] = await Promise.all(["program/log", "redis/keys", "flag/ledger", "redis/redis"].map(lib));

const { REDIS_URL, KEY_PREFIX } = parseEnv(
  readFileSync(environmentPath, "utf8"),
);
const redis = createRedis({
  url: REDIS_URL,
  name: "deploy",
  logger: createLogger("deploy", "silent"),
});
try {
  if (!(await waitForRedis(redis, 3000))) throw new Error("Redis is unreachable");
  const entry = {
    kind: "deploy",
    by: "deploy",
    reason,
    data: JSON.parse(data),
  };
  await new Ledger(redis, createKeys(KEY_PREFIX)).record(entry);
} finally {
  redis.disconnect();
}
