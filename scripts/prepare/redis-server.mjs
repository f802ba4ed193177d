import { hasCommand, tryCommand } from "./command.mjs";
import { Obstacle } from "./obstacle.mjs";

/**
 * Nothing may be asked, and the package's own service on port 6379 must not be started: RUNLEVEL keeps sysv's
 * invoke-rc.d from it, SYSTEMD_OFFLINE keeps systemctl from it.
 */
const APT_ENVIRONMENT = [
  "DEBIAN_FRONTEND=noninteractive",
  "RUNLEVEL=1",
  "SYSTEMD_OFFLINE=1",
];
const APT_LOCK_TIMEOUT_S = 120;

/** Makes sure of a redis-server on the PATH. @throws Obstacle naming the ways to get one. */
export function ensureRedisServer(urlVariable, say) {
  if (hasCommand("redis-server")) return;
  const failure = install(say);
  if (hasCommand("redis-server")) return;
  throw new Obstacle(
    `there is no redis-server on the PATH${failure === undefined ? "" : `, and ${failure}`}\n` +
      "Any of these will do:\n" +
      "  Debian, Ubuntu     sudo apt-get install redis-server\n" +
      "  macOS              brew install redis\n" +
      "  Fedora, RHEL       sudo dnf install redis\n" +
      `  a Redis elsewhere  set ${urlVariable}=redis://host:6379`,
  );
}

/** @returns why it could not be installed, undefined if it was. */
function install(say) {
  if (hasCommand("apt-get")) return installByApt(say);
  if (hasCommand("brew")) {
    say("installing redis-server (brew install redis)");
    return explain("brew", tryCommand("brew", ["install", "redis"]));
  }
  return "neither apt-get nor brew is here to install it";
}

function installByApt(say) {
  const asRoot = findWayToRoot();
  if (asRoot === undefined)
    return "installing it by apt-get takes root or a sudo that asks for no password";
  say("installing redis-server (apt-get), its service stays off");
  const aptGet = (...args) => {
    const [command, ...rest] = [
      ...asRoot,
      ...["env", ...APT_ENVIRONMENT],
      ...["apt-get", "-o", `DPkg::Lock::Timeout=${APT_LOCK_TIMEOUT_S}`],
      ...args,
    ];
    return tryCommand(command, rest);
  };
  const installServer = () =>
    aptGet("install", "-y", "--no-install-recommends", "redis-server");
  let failure = installServer();
  if (failure !== undefined) {
    // A fresh machine has no package lists, or lists of versions that are gone.
    aptGet("update");
    failure = installServer();
  }
  if (failure === undefined) keepServiceOff(asRoot);
  return explain("apt-get", failure);
}

/** The words to put before a command so that root runs it. */
function findWayToRoot() {
  if (process.getuid?.() === 0) return [];
  const sudoWorks =
    hasCommand("sudo") && tryCommand("sudo", ["-n", "true"]) === undefined;
  return sudoWorks ? ["sudo", "-n"] : undefined;
}

/** It would start at the next boot. Where it cannot be switched off, it is not on either. */
function keepServiceOff(asRoot) {
  if (!hasCommand("systemctl")) return;
  const disable = ["systemctl", "disable", "--quiet", "redis-server"];
  const [command, ...args] = [...asRoot, ...disable];
  tryCommand(command, args);
}

function explain(installer, failure) {
  return failure === undefined ? undefined : `${installer} failed:\n${failure}`;
}
