/**
 * Prepares a clone to run: checks Node, installs the packages and a redis-server, and builds. Each step prints a line, unless
 * there is nothing to do.
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
import { ensureRedisServer } from "./prepare/redis-server.mjs";

/** With this variable set, no redis-server is needed. */
const REDIS_URL_VARIABLES = {
  start: "REDIS_URL",
  test: "TEST_REDIS_URL",
  // The benchmark always starts its own.
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
