import { hasCommand, tryCommand } from "./command.mjs";

/**
 * Nothing may be asked, and the packages' own services must not be started: RUNLEVEL keeps sysv's invoke-rc.d from it,
 * SYSTEMD_OFFLINE keeps systemctl from it.
 */
const APT_ENVIRONMENT = [
  "DEBIAN_FRONTEND=noninteractive",
  "RUNLEVEL=1",
  "SYSTEMD_OFFLINE=1",
];
const APT_LOCK_TIMEOUT_S = 120;

/**
 * Installs Debian packages, and keeps the services of those in `services` from the next boot as well.
 *
 * @returns why they could not be installed, undefined if they were.
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
    // A fresh machine has no package lists, or lists of versions that are gone.
    aptGet("update");
    failure = install();
  }
  if (failure !== undefined) return `apt-get failed:\n${failure}`;
  for (const service of services) keepServiceOff(service, asRoot);
  return undefined;
}

/** The words to put before a command so that root runs it. */
function findWayToRoot() {
  if (process.getuid?.() === 0) return [];
  const sudoWorks =
    hasCommand("sudo") && tryCommand("sudo", ["-n", "true"]) === undefined;
  return sudoWorks ? ["sudo", "-n"] : undefined;
}

/** It would start at the next boot. Where it cannot be switched off, it is not on either. */
function keepServiceOff(service, asRoot) {
  if (!hasCommand("systemctl")) return;
  const disable = ["systemctl", "disable", "--quiet", service];
  const [command, ...args] = [...asRoot, ...disable];
  tryCommand(command, args);
}
