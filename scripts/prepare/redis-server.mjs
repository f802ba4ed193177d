import { findWayToRoot, installByApt } from "./apt.mjs";
import { hasCommand, tryCommand } from "./command.mjs";
import { Obstacle } from "./obstacle.mjs";
import { showStep } from "./progress.mjs";

/**
 * Checks that redis-server is on the PATH or can be installed. `urlVariable` names the variable that sets another Redis, if
 * one is allowed.
 *
 * @throws Obstacle that lists the ways to install it
 */
export async function checkRedisServer(urlVariable) {
  if (hasCommand("redis-server")) return;
  if (!hasCommand("apt-get")) {
    if (hasCommand("brew")) return;
    throw createObstacle(
      "neither apt-get nor brew is here to install it",
      urlVariable,
    );
  }
  if ((await findWayToRoot()) === undefined)
    throw createObstacle(
      "apt-get takes root, or a sudo that asks for no password",
      urlVariable,
    );
}

/** Installs it if it is missing. @throws Obstacle that lists the ways to install it */
export async function ensureRedisServer(urlVariable) {
  if (hasCommand("redis-server")) return;
  const failure = await install();
  if (!hasCommand("redis-server")) throw createObstacle(failure, urlVariable);
}

/** @returns why it could not be installed; undefined if it was */
async function install() {
  if (hasCommand("apt-get"))
    return await installByApt({
      packages: ["redis-server"],
      services: ["redis-server"],
    });
  const failure = await showStep(
    "installing redis-server (brew install redis)",
    () => tryCommand("brew", ["install", "redis"]),
  );
  return failure === undefined ? undefined : `brew failed:\n${failure}`;
}

function createObstacle(why, urlVariable) {
  const ways = [
    "  Debian, Ubuntu     sudo apt-get install redis-server",
    "  macOS              brew install redis",
    "  Fedora, RHEL       sudo dnf install redis",
  ];
  if (urlVariable !== undefined)
    ways.push(`  a Redis elsewhere  set ${urlVariable}=redis://host:6379`);
  const reason = why === undefined ? "" : `, and ${why}`;
  return new Obstacle(
    [
      `there is no redis-server on the PATH${reason}`,
      "Any of these will do:",
      ...ways,
    ].join("\n"),
  );
}
