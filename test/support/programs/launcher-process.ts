import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onCleanup } from "../cleanup.js";
import { createTempDirectory } from "../temp-directory.js";
import { waitFor } from "../wait-for.js";

type Environment = Record<string, string>;

const PROGRAMS = ["app", "agent", "proxy", "monitor"] as const;
const STAND_IN = new URL("./launcher-stand-in.js", import.meta.url).href;
const RUN_LAUNCHER = new URL(
  "../../../apps/launcher/run-launcher.js",
  import.meta.url,
).href;

const FREE_PORTS = {
  PROXY_PORT: "0",
  ADMIN_PORT: "0",
  MONITOR_PORT: "0",
  PROD_PORT: "0",
  CANARY_PORT: "0",
  PROD_AGENT_PORT: "0",
  CANARY_AGENT_PORT: "0",
};

/** A launcher in a process of its own and on free ports, killed after the test. */
export class LauncherProcess {
  readonly child: ChildProcess;
  /** The exit status, or the signal that ended it. */
  readonly exited: Promise<number | string>;
  /** Where it makes its own. */
  readonly tempDirectory = createTempDirectory();
  screen = "";
  errors = "";

  constructor(script: string, args: readonly string[], env: Environment) {
    const { PATH } = process.env;
    const TMPDIR = this.tempDirectory;
    this.child = spawn(process.execPath, [script, ...args], {
      env: { PATH, TMPDIR, ...FREE_PORTS, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child.stdout?.on("data", (text) => (this.screen += String(text)));
    this.child.stderr?.on("data", (text) => (this.errors += String(text)));
    this.exited = once(this.child, "close").then(
      ([status, signal]) => (status ?? signal) as number | string,
    );
    onCleanup(() => {
      this.child.kill("SIGKILL");
      return this.exited;
    });
  }

  /** Waits until the screen matches. */
  async untilShown(
    pattern: RegExp,
    timeoutMs = 20_000,
  ): Promise<RegExpExecArray> {
    return await waitFor(
      `${String(pattern)} on the screen`,
      () => {
        const match = pattern.exec(this.screen);
        if (match === null && this.child.exitCode !== null)
          throw new Error(`ended before ${String(pattern)}: ${this.errors}`);
        return match;
      },
      timeoutMs,
    );
  }

  /** Waits for the port that the screen names in front of `http://localhost:`, such as the proxy's. */
  async readPort(name: string): Promise<number> {
    const pattern = new RegExp(`^ +${name} +http://localhost:(\\d+)`, "m");
    return Number((await this.untilShown(pattern))[1]);
  }
}

/** A launcher with stand-ins for the programs. */
export class StandInLauncher extends LauncherProcess {
  readonly #pidDirectory: string;

  /** `scripts` replaces the stand-ins of some programs. */
  static start(
    options: {
      args?: readonly string[];
      env?: Environment;
      scripts?: Partial<Record<(typeof PROGRAMS)[number], string>>;
    } = {},
  ): StandInLauncher {
    const { args = [], env = {}, scripts = {} } = options;
    const directory = createTempDirectory();
    const standIn = `import { runStandIn } from "${STAND_IN}"; await runStandIn();`;
    writeFileSync(join(directory, "package.json"), '{ "type": "module" }');
    for (const program of PROGRAMS) {
      mkdirSync(join(directory, program));
      const main = join(directory, program, "main.js");
      writeFileSync(main, scripts[program] ?? standIn);
    }
    const launch = join(directory, "launch.js");
    writeFileSync(
      launch,
      `import { runLauncher } from "${RUN_LAUNCHER}";
       await runLauncher({
         args: process.argv.slice(2),
         env: process.env,
         programsDirectory: ${JSON.stringify(directory)},
         output: process.stdout,
       });`,
    );
    return new StandInLauncher(launch, args, env);
  }

  private constructor(
    script: string,
    args: readonly string[],
    env: Environment,
  ) {
    const pidDirectory = createTempDirectory();
    super(script, args, { STAND_IN_PIDS: pidDirectory, ...env });
    this.#pidDirectory = pidDirectory;
  }

  /** Of all stand-ins that were ever started. */
  readPids(): number[] {
    return readdirSync(this.#pidDirectory).map(Number);
  }

  countRunning(): number {
    return this.readPids().filter(isRunning).length;
  }
}

export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
