import { spawnSync } from "node:child_process";
import type { Environment } from "../../lib/settings/settings.js";
import { CliError, EXIT } from "./exit-status.js";

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** Runs git. @returns its output without blanks around it; undefined if it failed */
export type Git = (...args: readonly string[]) => string | undefined;

/** Git in a folder. */
export function createGit(cwd: string, env: Environment): Git {
  return (...args) => {
    const { status, stdout } = run(args, cwd, env);
    return status === 0 ? stdout.trim() : undefined;
  };
}

/** The same, but it throws a CliError with git's error, which is a fault of the clone and not of its commits. */
export function createStrictGit(
  cwd: string,
  env: Environment,
): (...args: readonly string[]) => string {
  return (...args) => {
    const { status, error, stdout, stderr } = run(args, cwd, env);
    if (status === 0) return stdout.trim();
    const why = error?.message ?? stderr.trim();
    throw new CliError(EXIT.usage, `git ${args[0] ?? ""}: ${why}`);
  };
}

function run(args: readonly string[], cwd: string, env: Environment) {
  return spawnSync("git", args, {
    ...{ cwd, env, encoding: "utf8", maxBuffer: MAX_OUTPUT_BYTES },
  });
}
