import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { runCommand } from "../prepare/command.mjs";

/** Checks a commit out into `directory` and builds it there, with its own script and the packages that its lockfile names. */
export function buildCommit(root, commit, directory) {
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
  npm("run", "build");
}
