import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { packageRoot } from "../../../lib/program/release.js";
import type { Environment } from "../../../lib/settings/settings.js";
import { CliError, EXIT, type ExitStatus } from "../exit-status.js";
import { openClone, type Clone } from "./clone.js";
import { findGaps } from "./gaps.js";
import { addBlock, removeBlock } from "./hook-file.js";

/** Kept in the clone's git configuration, as serin.jenkinsUrl and so on. Undefined: unchanged. */
export interface HookSettings {
  jenkinsUrl?: string;
  repositoryUrl?: string;
  pushRemote?: string;
  tokenFile?: string;
  branch?: string;
}

export interface HooksContext {
  cwd: string;
  env: Environment;
  /** Prints a line. */
  say: (line: string) => void;
}

/** `serin hooks install`: from now on a commit in this clone notifies Jenkins. Hooks that exist go on running. */
export function installHooks(
  { cwd, env, say }: HooksContext,
  settings: HookSettings,
): ExitStatus {
  const clone = openClone(cwd, env);
  mkdirSync(dirname(clone.hook), { recursive: true });
  const script = join(packageRoot(), "hooks/post-commit");
  addBlock(clone.hook, readFileSync(script, "utf8"));
  mkdirSync(dirname(clone.script), { recursive: true });
  copyFileSync(script, clone.script);
  chmodSync(clone.script, 0o755);
  const { tokenFile } = settings;
  storeSettings(
    clone,
    tokenFile === undefined
      ? settings
      : { ...settings, tokenFile: resolve(cwd, tokenFile) },
  );
  say(`${clone.hook} notifies Jenkins`);
  for (const gap of findGaps(clone, env)) say(`still to do: ${gap}`);
  return EXIT.ok;
}

/** `serin hooks uninstall`: removes all that install has written. */
export function uninstallHooks({ cwd, env, say }: HooksContext): ExitStatus {
  const { git, hook, script } = openClone(cwd, env);
  removeBlock(hook);
  rmSync(dirname(script), { recursive: true, force: true });
  git("config", "--remove-section", "serin");
  say(`${hook} no longer notifies Jenkins`);
  return EXIT.ok;
}

function storeSettings({ git }: Clone, settings: HookSettings): void {
  for (const [name, value] of Object.entries(settings))
    if (git("config", `serin.${name}`, String(value)) === undefined)
      throw new CliError(
        EXIT.problem,
        `cannot write serin.${name} to .git/config`,
      );
}
