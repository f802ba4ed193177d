import { spawnSync } from "node:child_process";
import { Obstacle } from "../prepare/obstacle.mjs";

/** Runs git in `root`. @returns its output without the final newline @throws Obstacle with git's error */
export function git(root, ...args) {
  const { status, error, stdout, stderr } = spawnSync(
    "git",
    ["-C", root, ...args],
    {
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  if (status === 0) return stdout.trimEnd();
  throw new Obstacle(`git ${args[0]}: ${error?.message ?? stderr.trim()}`);
}
