import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { Obstacle } from "./obstacle.mjs";

const OUTPUT_LINES_SHOWN = 40;

/** Whether this command is on the PATH. */
export function hasCommand(name) {
  const directories = (process.env.PATH ?? "").split(delimiter);
  return directories.some((directory) => isExecutable(join(directory, name)));
}

/**
 * Runs a command, and prints its output only with `stdio: "inherit"`.
 *
 * @returns the output if it failed, undefined if it succeeded
 */
export function tryCommand(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ["ignore", "pipe", "pipe"],
      ...options,
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (text) => (output += text));
    child.once("error", (err) => resolve(err.message));
    child.once("close", (status) =>
      resolve(status === 0 ? undefined : output.trim()),
    );
  });
}

/** @throws Obstacle with the end of the command's output when it fails. */
export async function runCommand(command, args, options) {
  const failure = await tryCommand(command, args, options);
  if (failure !== undefined)
    throw new Obstacle(
      `${[command, ...args].join(" ")} failed:\n${endOf(failure)}`,
    );
}

export function endOf(output) {
  return output.split("\n").slice(-OUTPUT_LINES_SHOWN).join("\n");
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
