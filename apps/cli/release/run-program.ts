import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  accessSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { Environment } from "../../../lib/settings/settings.js";
import { toPlainLines } from "../../../lib/wording/plain-text.js";
import { CliError, EXIT } from "../exit-status.js";

const GRACE_MS = 10_000;
const LINES_SHOWN = 20;

export interface Program {
  command: string;
  args: readonly string[];
  cwd: string;
  env: Environment;
  /** The file that its output goes to. */
  log: string;
  /** Ends it, with all that it has started. */
  signal: AbortSignal;
  /** Called with each line that it writes to file descriptor 3. */
  onLine?: (line: string) => void;
}

/** Runs a program that may take minutes. @returns its exit status; null after a signal @throws CliError if it cannot start */
export async function runProgram(program: Program): Promise<number | null> {
  const { command, args, cwd, env, signal, onLine } = program;
  if (signal.aborted) throw new CliError(EXIT.interrupted, "interrupted");
  mkdirSync(dirname(program.log), { recursive: true });
  // What a build or Ansible prints may hold secrets. A log that exists would keep its mode.
  rmSync(program.log, { force: true });
  const log = openSync(program.log, "w", 0o600);
  // In a group of its own, Ctrl-C reaches only this process, which then ends the group.
  const child = spawn(command, args, {
    ...{ cwd, env, detached: true },
    stdio: ["ignore", log, log, "pipe"],
  });
  closeSync(log);
  const ending = new AbortController();
  const end = () => void endGroup(child.pid, ending.signal);
  signal.addEventListener("abort", end);
  const lines = createInterface({ input: child.stdio[3] as Readable });
  if (onLine !== undefined) lines.on("line", onLine);
  try {
    const [status] = (await once(child, "close")) as [number | null];
    return status;
  } catch (err) {
    const why = err instanceof Error ? err.message : String(err);
    throw new CliError(EXIT.usage, `${command} cannot start: ${why}`);
  } finally {
    ending.abort();
    lines.close();
    signal.removeEventListener("abort", end);
  }
}

/** The end of a log, for people. */
export function readLogEnd(path: string): string {
  const lines = toPlainLines(readFileSync(path, "utf8").trimEnd()).split("\n");
  return lines.slice(-LINES_SHOWN).join("\n");
}

async function endGroup(
  pid: number | undefined,
  ended: AbortSignal,
): Promise<void> {
  if (pid === undefined) return;
  process.kill(-pid, "SIGTERM");
  try {
    await sleep(GRACE_MS, undefined, { signal: ended, ref: false });
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended in time.
  }
}

/**
 * The first program of these names that can be executed.
 *
 * @param searchPath such as `PATH`
 */
export function findProgram(
  searchPath: string,
  ...names: string[]
): string | undefined {
  const folders = searchPath.split(delimiter);
  return names
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
