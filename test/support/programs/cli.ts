import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Keys } from "../../../lib/redis/keys.js";
import { onCleanup } from "../cleanup.js";
import { redisUrl } from "../redis/redis-server.js";
import { waitFor } from "../wait-for.js";

export const CLI_MAIN = fileURLToPath(
  new URL("../../../apps/cli/main.js", import.meta.url),
);
/** Nothing listens there, and no browser or client forbids it. */
export const NOWHERE = "127.0.0.1:9";

type Environment = Record<string, string | undefined>;

export interface CliResult {
  status: number | string;
  stdout: string;
  stderr: string;
}

/** `serin …` in a pipe, by the tests' Redis and without a monitor unless told; killed after the test. */
export class Cli {
  readonly child: ChildProcess;
  stdout = "";
  stderr = "";
  readonly #closed: Promise<number | string>;

  constructor(keys: Keys, args: readonly string[], env: Environment = {}) {
    this.child = spawn(process.execPath, [CLI_MAIN, ...args], {
      env: cliEnvironment(keys, env),
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    this.child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.#closed = once(this.child, "close").then(
      ([status, signal]) => (status ?? signal) as number | string,
    );
    onCleanup(() => {
      this.child.kill("SIGKILL");
      return this.#closed;
    });
  }

  async result(): Promise<CliResult> {
    const status = await this.#closed;
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
