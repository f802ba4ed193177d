import { createInterface } from "node:readline/promises";
import { hasCommand, tryCommand } from "./command.mjs";
import { showStep } from "./progress.mjs";

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
export async function installByApt({ packages, services }) {
  const names = packages.join(" ");
  const way = await findWayToRoot();
  if (way === undefined || (way.isTyped && !(await agrees(names))))
    return `installing ${names} by apt-get takes root or a sudo that asks for no password`;
  const whose =
    packages.length > 1 ? "their services stay" : "its service stays";
  const what = `installing ${names} (apt-get), ${whose} off`;
  // sudo asks for the password on this terminal, so apt-get's output goes there too.
  const failure = await (way.isTyped
    ? install(packages, way)
    : showStep(what, () => install(packages, way)));
  if (failure !== undefined) return `apt-get failed:\n${failure}`.trim();
  for (const service of services) await keepServiceOff(service, way);
  return undefined;
}

async function install(packages, { prefix, isTyped }) {
  const aptGet = (...args) => {
    const [command, ...rest] = [
      ...prefix,
      ...["env", ...APT_ENVIRONMENT],
      ...["apt-get", "-o", `DPkg::Lock::Timeout=${APT_LOCK_TIMEOUT_S}`],
      ...args,
    ];
    return tryCommand(command, rest, isTyped ? { stdio: "inherit" } : {});
  };
  const installNow = () =>
    aptGet("install", "-y", "--no-install-recommends", ...packages);
  const failure = await installNow();
  if (failure === undefined) return undefined;
  // A fresh machine has no package lists, or outdated ones.
  await aptGet("update");
  return await installNow();
}

/** How a command runs as root, if it can; `isTyped` if sudo asks for a password on this terminal. */
export async function findWayToRoot() {
  if (process.getuid?.() === 0) return { prefix: [], isTyped: false };
  if (!hasCommand("sudo")) return undefined;
  if ((await tryCommand("sudo", ["-n", "true"])) === undefined)
    return { prefix: ["sudo", "-n"], isTyped: false };
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY;
  return isTerminal ? { prefix: ["sudo"], isTyped: true } : undefined;
}

async function agrees(names) {
  const { stdin: input, stdout: output } = process;
  const terminal = createInterface({ input, output });
  const answer = await terminal.question(
    `prepare: sudo apt-get install ${names} is needed. Run it now? [Y/n] `,
  );
  terminal.close();
  return /^(y(es)?)?$/i.test(answer.trim());
}

/** Otherwise it would start at the next boot. If it cannot be disabled, it is not enabled either. */
async function keepServiceOff(service, { prefix }) {
  if (!hasCommand("systemctl")) return;
  const disable = ["systemctl", "disable", "--quiet", service];
  const [command, ...args] = [...prefix, ...disable];
  await tryCommand(command, args);
}
