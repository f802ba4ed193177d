import type { ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createKeys, type Keys } from "../../../lib/redis/keys.js";
import { onCleanup } from "../cleanup.js";
import { freshKeys, redisUrl } from "../redis/redis-server.js";
import { waitFor } from "../wait-for.js";
import type { Environment, LogEntry, Program, ProgramName } from "./program.js";
import { Subprocess } from "./subprocess.js";

/** A program in a process of its own, for tests of signals, exit status, memory or standard error. */
export interface ProgramProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly keys: Keys;
  readonly log: readonly LogEntry[];
  readonly stderr: () => string;
  /** Resolves to the exit status, or to the signal that ended it. */
  readonly exited: Promise<number | string>;
}

/** Starts it on a free port against the tests' Redis and waits until it listens; it is killed after the test. */
export async function spawnListening(
  name: ProgramName,
  env: Environment,
  main?: URL,
): Promise<ProgramProcess & Program> {
  const program = spawnProgram(name, env, main);
  const port = await waitFor(`the ${name} to listen`, () => {
    if (program.child.exitCode !== null)
      throw new Error(`the ${name} ended: ${program.stderr()}`);
    return program.log.find(({ msg }) => msg === `${name} listens`)?.port;
  });
  return { ...program, ...addressOf(Number(port)) };
}

/** Starts it without waiting for anything. @param main the program's own unless told */
export function spawnProgram(
  name: ProgramName,
  env: Environment,
  main = new URL(`../../../apps/${name}/main.js`, import.meta.url),
): ProgramProcess {
  const settings = withDefaults(env);
  const log: LogEntry[] = [];
  const program = new Subprocess([process.execPath, fileURLToPath(main)], {
    name,
    env: { PATH: process.env.PATH, ...settings.env },
    onLine: (line) => log.push(JSON.parse(line) as LogEntry),
  });
  onCleanup(() => program.end());
  return {
    child: program.child,
    pid: program.pid,
    keys: settings.keys,
    log,
    stderr: () => program.stderr,
    exited: program.ended,
  };
}

/** The tests' Redis, a fresh key prefix and a free port, unless `env` says otherwise. */
export function withDefaults(env: Environment): {
  env: Environment;
  keys: Keys;
} {
  const keys =
    env.KEY_PREFIX === undefined ? freshKeys() : createKeys(env.KEY_PREFIX);
  const defaults = {
    PORT: "0",
    REDIS_URL: env.REDIS_URL ?? redisUrl(),
    KEY_PREFIX: keys.prefix,
  };
  return { env: { ...defaults, ...env }, keys };
}

export function addressOf(port: number): { port: number; url: string } {
  return { port, url: `http://127.0.0.1:${port}` };
}
