/**
 * Prepares a clone to run: first everything that stands in the way, then each step with its seconds. It installs a
 * redis-server and the packages, and builds; what is done already is not done again.
 *
 *     node scripts/prepare.mjs start|test|bench
 *
 * It runs before the packages are installed, so it imports only Node's own modules.
 */
import { fileURLToPath } from "node:url";
import { ensureBenchPrograms } from "./prepare/bench-programs.mjs";
import { ensureBuild } from "./prepare/build.mjs";
import { checkNodeVersion } from "./prepare/node-version.mjs";
import { Obstacle } from "./prepare/obstacle.mjs";
import { ensurePackages } from "./prepare/packages.mjs";
import { findBusyPorts } from "./prepare/ports.mjs";
import {
  checkRedisServer,
  ensureRedisServer,
} from "./prepare/redis-server.mjs";
import { findBadSettings } from "./prepare/settings.mjs";

/** With this variable set, no redis-server is needed. */
const REDIS_URL_VARIABLES = {
  start: "REDIS_URL",
  test: "TEST_REDIS_URL",
  // The benchmark always starts its own.
  bench: undefined,
};

async function prepare(purpose) {
  const root = fileURLToPath(new URL("..", import.meta.url));
  if (!Object.hasOwn(REDIS_URL_VARIABLES, purpose))
    throw new Obstacle(
      "say what for: node scripts/prepare.mjs start|test|bench",
    );
  const urlVariable = REDIS_URL_VARIABLES[purpose];
  const needsRedis = !process.env[urlVariable];
  const found = await Promise.all([
    findObstacle(() => checkNodeVersion(root)),
    needsRedis ? findObstacle(() => checkRedisServer(urlVariable)) : [],
    ...(purpose === "start" ? [findBadSettings(root), findBusyPorts()] : []),
  ]);
  const obstacles = found.flat();
  if (obstacles.length > 0) throw new Obstacle(obstacles.join("\n"));
  if (needsRedis) await ensureRedisServer(urlVariable);
  await ensurePackages(root);
  if (purpose === "bench") await ensureBenchPrograms();
  await ensureBuild(root, purpose === "start" ? "start" : "tests");
}

/** @returns the sentence of the Obstacle that `check` throws, in an array, or an empty one */
async function findObstacle(check) {
  try {
    await check();
    return [];
  } catch (err) {
    if (!(err instanceof Obstacle)) throw err;
    return [err.message];
  }
}

try {
  await prepare(process.argv[2]);
} catch (err) {
  if (!(err instanceof Obstacle)) throw err;
  console.error(`prepare: ${err.message}`);
  process.exitCode = 1;
}
