import { fileURLToPath } from "node:url";
import { runCli as runSerin } from "../../../apps/cli/run-cli.js";
import type { Keys } from "../../../lib/redis/keys.js";
import { onCleanup } from "../cleanup.js";
import { redisUrl } from "../redis/redis-server.js";
import { waitFor } from "../wait-for.js";
import { Subprocess, type Environment } from "./subprocess.js";

export const CLI_MAIN = fileURLToPath(
  new URL("../../../apps/cli/main.js", import.meta.url),
);
/** Nothing listens there, and no browser or client forbids it. */
export const NOWHERE = "127.0.0.1:9";

export interface CliResult {
  status: number | string;
  stdout: string;
  stderr: string;
}

/** `serin …` in this process and as if in a pipe, by the tests' Redis and without a monitor unless told. */
export class Cli {
  stdout = "";
  stderr = "";
  readonly #stopping = new AbortController();
  readonly #status: Promise<number>;

  /** @param env its PWD is the working directory */
  constructor(keys: Keys, args: readonly string[], env: Environment = {}) {
    this.#status = runSerin({
      args,
      env: cliEnvironment(keys, env),
      cwd: env.PWD ?? process.cwd(),
      stdout: { write: (text) => (this.stdout += text) },
      stderr: { write: (text) => (this.stderr += text) },
      stopSignal: () => this.#stopping.signal,
    });
    onCleanup(() => this.stop());
  }

  /** Stops it as Ctrl-C does. */
  async stop(): Promise<CliResult> {
    this.#stopping.abort();
    return await this.result();
  }

  async result(): Promise<CliResult> {
    const status = await this.#status;
    return { status, stdout: this.stdout, stderr: this.stderr };
  }

  async untilPrinted(pattern: RegExp): Promise<void> {
    await waitFor(`${String(pattern)} from serin`, () =>
      pattern.test(this.stdout + this.stderr),
    );
  }
}

export async function runCli(
  keys: Keys,
  args: readonly string[],
  env: Environment = {},
): Promise<CliResult> {
  return await new Cli(keys, args, env).result();
}

/** `serin …` as people run it, for tests of signals, exit status and output. Killed after the test. */
export function startCliProcess(
  keys: Keys,
  args: readonly string[],
  env: Environment = {},
): Subprocess {
  const cli = new Subprocess([process.execPath, CLI_MAIN, ...args], {
    name: "serin",
    env: cliEnvironment(keys, env),
  });
  onCleanup(() => cli.end());
  return cli;
}

export function cliEnvironment(keys: Keys, env: Environment): Environment {
  return {
    PATH: process.env.PATH,
    TZ: "UTC",
    REDIS_URL: redisUrl(),
    KEY_PREFIX: keys.prefix,
    MONITOR_URL: `http://${NOWHERE}`,
    SUDO_USER: "alice",
    ...env,
  };
}
