import { hasCommand, tryCommand } from "./command.mjs";

/**
 * apt must ask nothing, and the packages' services must not start: RUNLEVEL prevents this for sysv's invoke-rc.d,
 * SYSTEMD_OFFLINE for systemctl.
 */
const APT_ENVIRONMENT = [
  "DEBIAN_FRONTEND=noninteractive",
  "RUNLEVEL=1",
  "SYSTEMD_OFFLINE=1",
];
const APT_LOCK_TIMEOUT_S = 120;

/**
 * Installs Debian packages, and disables the services in `services`.
 *
 * @returns why they could not be installed; undefined if they were
 */
export function installByApt({ packages, services }, say) {
  const names = packages.join(" ");
  const asRoot = findWayToRoot();
  if (asRoot === undefined)
    return `installing ${names} by apt-get takes root or a sudo that asks for no password`;
  const whose =
    packages.length > 1 ? "their services stay" : "its service stays";
  say(`installing ${names} (apt-get), ${whose} off`);
  const aptGet = (...args) => {
    const [command, ...rest] = [
      ...asRoot,
      ...["env", ...APT_ENVIRONMENT],
      ...["apt-get", "-o", `DPkg::Lock::Timeout=${APT_LOCK_TIMEOUT_S}`],
      ...args,
    ];
    return tryCommand(command, rest);
  };
  const install = () =>
    aptGet("install", "-y", "--no-install-recommends", ...packages);
  let failure = install();
  if (failure !== undefined) {
    // A fresh machine has no package lists, or outdated ones.
    aptGet("update");
    failure = install();
  }
  if (failure !== undefined) return `apt-get failed:\n${failure}`;
  for (const service of services) keepServiceOff(service, asRoot);
  return undefined;
}

/** The prefix with which a command runs as root. */
function findWayToRoot() {
  if (process.getuid?.() === 0) return [];
  const sudoWorks =
    hasCommand("sudo") && tryCommand("sudo", ["-n", "true"]) === undefined;
  return sudoWorks ? ["sudo", "-n"] : undefined;
}

/** Otherwise it would start at the next boot. If it cannot be disabled, it is not enabled either. */
function keepServiceOff(service, asRoot) {
  if (!hasCommand("systemctl")) return;
  const disable = ["systemctl", "disable", "--quiet", service];
  const [command, ...args] = [...asRoot, ...disable];
  tryCommand(command, args);
}
