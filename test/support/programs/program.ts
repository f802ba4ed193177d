import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createKeys, type Keys } from "../../../lib/redis/keys.js";
import { onCleanup } from "../cleanup.js";
import { freshKeys, redisUrl } from "../redis/redis-server.js";
import { waitFor } from "../wait-for.js";

type Environment = Record<string, string>;

/** One line of a program's log. */
export interface LogEntry {
  level: string;
  msg: string;
  [field: string]: unknown;
}

/** A program as its operators run it: a process, set by environment variables. */
export interface Program {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly keys: Keys;
  readonly log: readonly LogEntry[];
  readonly stderr: () => string;
  /** Resolves to the exit status, or to the signal that ended it. */
  readonly exited: Promise<number | string>;
}

export interface ListeningProgram extends Program {
  readonly url: string;
}

/** Starts it on a free port against the tests' Redis and waits until it listens; it ends with the test. */
export async function startProgram(
  name: "app" | "agent" | "proxy",
  env: Environment,
): Promise<ListeningProgram> {
  const program = spawnProgram(name, env);
  const port = await waitFor(`the ${name} to listen`, () => {
    if (program.child.exitCode !== null)
      throw new Error(`the ${name} ended: ${program.stderr()}`);
    return program.log.find(({ msg }) => msg === `${name} listens`)?.port;
  });
  return { ...program, url: `http://127.0.0.1:${String(port)}` };
}

/** Starts it without waiting for anything. @param main the program's own unless told */
export function spawnProgram(
  name: "app" | "agent" | "proxy",
  env: Environment,
  main = new URL(`../../../apps/${name}/main.js`, import.meta.url),
): Program {
  const keys =
    env.KEY_PREFIX === undefined ? freshKeys() : createKeys(env.KEY_PREFIX);
  const defaults = {
    PATH: process.env.PATH ?? "",
    PORT: "0",
    REDIS_URL: env.REDIS_URL ?? redisUrl(),
    KEY_PREFIX: keys.prefix,
  };
  const child = spawn(process.execPath, [fileURLToPath(main)], {
    env: { ...defaults, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  // Not "exit", which may come before the last of its output.
  const exited = once(child, "close").then(
    ([code, signal]) => (code ?? signal) as number | string,
  );
  onCleanup(() => {
    child.kill("SIGKILL");
    return exited;
  });
  const stderr = { text: "" };
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr.text += text;
  });
  return {
    child,
    pid: child.pid!,
    keys,
    log: collectLog(child.stdout),
    stderr: () => stderr.text,
    exited,
  };
}

function collectLog(stdout: NodeJS.ReadableStream): LogEntry[] {
  const log: LogEntry[] = [];
  let partial = "";
  stdout.setEncoding("utf8").on("data", (text: string) => {
    const lines = (partial + text).split("\n");
    partial = lines.pop() ?? "";
    log.push(...lines.map((line) => JSON.parse(line) as LogEntry));
  });
  return log;
}
