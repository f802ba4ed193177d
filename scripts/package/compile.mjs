import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../prepare/command.mjs";

/** What hosts run; tests are compiled elsewhere. */
const RELEASE_CONFIG = {
  extends: "./tsconfig.json",
  include: ["apps", "lib"],
  exclude: ["apps/launcher", "apps/monitor/page"],
};

/** Checks a commit out into `directory` and compiles it there, with the packages that its own lockfile names. */
export function compileCommit(root, commit, directory) {
  mkdirSync(directory, { recursive: true });
  const sources = execFileSync("git", ["-C", root, "archive", commit], {
    maxBuffer: 256 * 1024 * 1024,
  });
  execFileSync("tar", ["-x", "-C", directory], { input: sources });
  const npm = (...args) => runCommand("npm", args, { cwd: directory });
  npm(
    "ci",
    "--include=dev",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--prefer-offline",
  );
  const configPath = join(directory, "tsconfig.release.json");
  writeFileSync(configPath, JSON.stringify(RELEASE_CONFIG));
  npm("exec", "--", "tsc", "--noEmitOnError", "--project", configPath);
  const buildPage = "scripts/build-page.mjs";
  // An older commit may have no page.
  if (existsSync(join(directory, buildPage)))
    runCommand(process.execPath, [buildPage], { cwd: directory });
  npm("prune", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund");
}
