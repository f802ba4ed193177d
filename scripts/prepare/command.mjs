import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { Obstacle } from "./obstacle.mjs";

const OUTPUT_LINES_SHOWN = 40;

/** Whether this command is on the PATH. */
export function hasCommand(name) {
  const directories = (process.env.PATH ?? "").split(delimiter);
  return directories.some((directory) => isExecutable(join(directory, name)));
}

/** Runs a command without printing its output. @returns the output if it failed, undefined if it succeeded */
export function tryCommand(command, args, options = {}) {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    ...options,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 64 * 1024 * 1024,
  });
  return status === 0
    ? undefined
    : (error?.message ?? `${stdout}${stderr}`.trim());
}

/** @throws Obstacle with the end of the command's output when it fails. */
export function runCommand(command, args, options) {
  const failure = tryCommand(command, args, options);
  if (failure === undefined) return;
  const shown = failure.split("\n").slice(-OUTPUT_LINES_SHOWN).join("\n");
  throw new Obstacle(`${command} ${args.join(" ")} failed:\n${shown}`);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
