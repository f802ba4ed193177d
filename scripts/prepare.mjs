/**
 * Makes a clone ready to run: the right Node, the packages, a redis-server and a build that is up to date. Says in one line
 * each what it does, and nothing when there is nothing to do.
 *
 *     node scripts/prepare.mjs start|test|bench
 *
 * It runs before the packages are there, so it has only what Node brings.
 */
import { fileURLToPath } from "node:url";
import { ensureBenchPrograms } from "./prepare/bench-programs.mjs";
import { ensureBuild } from "./prepare/build.mjs";
import { checkNodeVersion } from "./prepare/node-version.mjs";
import { Obstacle } from "./prepare/obstacle.mjs";
import { ensurePackages } from "./prepare/packages.mjs";
import { ensureRedisServer } from "./prepare/redis-server.mjs";

/** Whoever sets this variable has a Redis, and needs no redis-server here. */
const REDIS_URL_VARIABLES = {
  start: "REDIS_URL",
  test: "TEST_REDIS_URL",
  // It always has one of its own.
  bench: undefined,
};

const say = (line) => console.log(`prepare: ${line}`);

function prepare(purpose) {
  const root = fileURLToPath(new URL("..", import.meta.url));
  if (!Object.hasOwn(REDIS_URL_VARIABLES, purpose))
    throw new Obstacle(
      "say what for: node scripts/prepare.mjs start|test|bench",
    );
  const urlVariable = REDIS_URL_VARIABLES[purpose];
  checkNodeVersion(root);
  ensurePackages(root, say);
  if (!process.env[urlVariable]) ensureRedisServer(urlVariable, say);
  if (purpose === "bench") ensureBenchPrograms(say);
  ensureBuild(root, purpose === "start" ? "programs" : "tests", say);
}

try {
  prepare(process.argv[2]);
} catch (err) {
  if (!(err instanceof Obstacle)) throw err;
  console.error(`prepare: ${err.message}`);
  process.exitCode = 1;
}
