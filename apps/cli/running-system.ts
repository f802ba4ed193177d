import { dirname, relative } from "node:path";
import {
  readRunningSystems,
  type RunningSystem,
} from "../../lib/program/running-system.js";
import type { Environment } from "../../lib/settings/settings.js";
import { toPlain } from "../../lib/wording/plain-text.js";
import { CliError, EXIT } from "./exit-status.js";

const ADDRESSES = ["REDIS_URL", "KEY_PREFIX", "FLAG_NAME", "MONITOR_URL"];

/**
 * The environment with the addresses of the system that `serin dev` runs here. An environment that has an address itself
 * stays as it is.
 *
 * @throws CliError if several run and none belongs to the current folder
 */
export function withRunningSystem(
  env: Environment,
  { cwd, warn }: { cwd: string; warn: (sentence: string) => void },
): Environment {
  if (ADDRESSES.some((name) => (env[name] ?? "") !== "")) return env;
  const system = pickSystem(readRunningSystems(env), cwd);
  if (system === undefined) return env;
  const name = toPlain(system.service);
  warn(`using the system that \`serin dev\` runs here: ${name}`);
  return { ...env, ...system.settings };
}

function pickSystem(
  systems: readonly RunningSystem[],
  cwd: string,
): RunningSystem | undefined {
  if (systems.length < 2) return systems[0];
  const own = systems.filter(({ file }) => dirname(file) === cwd);
  const near = systems.filter(
    ({ file }) => isWithin(dirname(file), cwd) || isWithin(cwd, dirname(file)),
  );
  const found = [own, near].find(({ length }) => length === 1)?.[0];
  if (found !== undefined) return found;
  const list = systems.map(
    ({ service, file, settings }) =>
      `\n  ${toPlain(`${service} (${dirname(file)}), ${settings.MONITOR_URL}`)}`,
  );
  throw new CliError(
    EXIT.usage,
    `\`serin dev\` runs several systems here: go to the folder of one, or set REDIS_URL and MONITOR_URL${list.join("")}`,
  );
}

function isWithin(folder: string, outer: string): boolean {
  return !relative(outer, folder).startsWith("..");
}
