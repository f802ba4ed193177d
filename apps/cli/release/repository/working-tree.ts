import type { Environment } from "../../../../lib/settings/settings.js";
import { createGit, createStrictGit, type Git } from "../../git.js";

/** In a hook, Git sets these for the hook's own repository. */
const OF_A_HOOK = ["GIT_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_WORK_TREE"];

/** The service's folder in a working tree. */
export interface WorkingTree {
  folder: string;
  env: Environment;
  git: (...args: readonly string[]) => string;
  tryGit: Git;
}

export function openWorkingTree(
  folder: string,
  environment: Environment,
): WorkingTree {
  const env = Object.fromEntries(
    Object.entries(environment).filter(([name]) => !OF_A_HOOK.includes(name)),
  );
  const git = createStrictGit(folder, env);
  return { folder, env, git, tryGit: createGit(folder, env) };
}
