import { spawnSync } from "node:child_process";
import type { Environment } from "../../lib/settings/settings.js";

/** Runs git. @returns its output without blanks around it; undefined if it failed */
export type Git = (...args: readonly string[]) => string | undefined;

/** Git in a folder. */
export function createGit(cwd: string, env: Environment): Git {
  return (...args) => {
    const { status, stdout } = spawnSync("git", args, {
      cwd,
      env,
      encoding: "utf8",
    });
    return status === 0 ? stdout.trim() : undefined;
  };
}
