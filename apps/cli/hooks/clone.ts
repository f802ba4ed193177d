import { dirname, join, resolve } from "node:path";
import { CliError, EXIT } from "../exit-status.js";
import { createGit, type Git } from "../git.js";
import type { Environment } from "../../../lib/settings/settings.js";

/** The clone whose commits notify Jenkins. */
export interface Clone {
  git: Git;
  /** Serin's own script, beside the repository's data: it is not committed, and all working trees share it. */
  script: string;
  /** The post-commit hook that git or husky runs. */
  hook: string;
  /** Husky's hooks need not be executable. */
  byHusky: boolean;
}

/** @throws CliError outside of a working tree */
export function openClone(cwd: string, env: Environment): Clone {
  const top = createGit(cwd, env)("rev-parse", "--show-toplevel");
  if (top === undefined)
    throw new CliError(EXIT.problem, `${cwd} is in no git working tree`);
  const git = createGit(top, env);
  const pathOf = (...args: readonly string[]) =>
    resolve(top, git("rev-parse", ...args) ?? "");
  const hooks = pathOf("--git-path", "hooks");
  // Husky 9 writes runners into .husky/_, each of which runs the hook of its name in .husky.
  const byHusky = hooks.endsWith("/.husky/_");
  return {
    git,
    script: join(pathOf("--git-common-dir"), "serin/post-commit"),
    hook: join(byHusky ? dirname(hooks) : hooks, "post-commit"),
    byHusky,
  };
}
