import { installByApt } from "./apt.mjs";
import { hasCommand, tryCommand } from "./command.mjs";
import { Obstacle } from "./obstacle.mjs";

/**
 * Ensures that redis-server is on the PATH. `urlVariable` names the variable that sets another Redis, if one is allowed.
 *
 * @throws Obstacle that lists the ways to install it
 */
export function ensureRedisServer(urlVariable, say) {
  if (hasCommand("redis-server")) return;
  const failure = install(say);
  if (hasCommand("redis-server")) return;
  throw new Obstacle(
    `there is no redis-server on the PATH${failure === undefined ? "" : `, and ${failure}`}\n` +
      "Any of these will do:\n" +
      "  Debian, Ubuntu     sudo apt-get install redis-server\n" +
      "  macOS              brew install redis\n" +
      "  Fedora, RHEL       sudo dnf install redis" +
      (urlVariable === undefined
        ? ""
        : `\n  a Redis elsewhere  set ${urlVariable}=redis://host:6379`),
  );
}

/** @returns why it could not be installed; undefined if it was */
function install(say) {
  if (hasCommand("apt-get"))
    return installByApt(
      { packages: ["redis-server"], services: ["redis-server"] },
      say,
    );
  if (hasCommand("brew")) {
    say("installing redis-server (brew install redis)");
    const failure = tryCommand("brew", ["install", "redis"]);
    return failure === undefined ? undefined : `brew failed:\n${failure}`;
  }
  return "neither apt-get nor brew is here to install it";
}
