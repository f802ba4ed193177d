import { dirname } from "node:path";
import type { Terminal } from "../../../apps/launcher/steering/keys.js";
import type { DevOptions } from "../../../apps/launcher/options.js";
import { runLauncher } from "../../../apps/launcher/run-launcher.js";
import { onCleanup } from "../cleanup.js";
import { createTempDirectory } from "../temp-directory.js";
import { waitFor } from "../wait-for.js";
import { Subprocess, type Environment } from "./subprocess.js";

/** Those of serin.yml may be in use. */
export const FREE_PORTS = {
  PROXY_PORT: "0",
  ADMIN_PORT: "0",
  MONITOR_PORT: "0",
  PROD_PORT: "0",
  CANARY_PORT: "0",
  PROD_AGENT_PORT: "0",
  CANARY_AGENT_PORT: "0",
};
/** Much more than it takes, because a busy machine is not what is tested. */
const TIMEOUT_MS = 60_000;

/** `serin dev` on free ports. */
abstract class Launcher {
  /** Where it makes its own. */
  readonly tempDirectory = createTempDirectory();
  /** Where it leaves its addresses for `serin`. */
  readonly runtimeDirectory = createTempDirectory();
  /** The exit status, or the signal that ended it. */
  abstract readonly ended: Promise<number | string>;
  abstract readonly screen: string;
  abstract readonly errors: string;
  protected abstract readonly hasEnded: boolean;

  /** Waits until the screen matches. */
  async untilShown(
    pattern: RegExp,
    timeoutMs = TIMEOUT_MS,
  ): Promise<RegExpExecArray> {
    return await waitFor(
      `${String(pattern)} on the screen`,
      () => {
        const { hasEnded } = this;
        const match = pattern.exec(this.screen);
        if (match === null && hasEnded)
          throw new Error(`ended before ${String(pattern)}: ${this.errors}`);
        return match;
      },
      timeoutMs,
    );
  }

  async untilReady(timeoutMs?: number): Promise<void> {
    await this.untilShown(/Ctrl-C stops everything\./, timeoutMs);
  }

  /** Waits for the port that the screen names in front of `http://localhost:`, such as the proxy's. */
  async readPort(name: string): Promise<number> {
    const pattern = new RegExp(`^ +${name} +http://localhost:(\\d+)`, "m");
    return Number((await this.untilShown(pattern))[1]);
  }

  /** Waits for its private Redis's. */
  async readRedisPort(): Promise<number> {
    return Number((await this.untilShown(/redis-cli -p (\d+)/))[1]);
  }
}

/** Runs in this process; its programs have their own. Stopped after the test. */
export class LocalLauncher extends Launcher {
  screen = "";
  errors = "";
  readonly ended: Promise<number>;
  protected hasEnded = false;
  readonly #stopping = new AbortController();

  constructor(
    options: Partial<DevOptions> & {
      terminal?: Terminal;
      programsDirectory: string;
      file: string;
      env?: Environment;
    },
  ) {
    super();
    const { env = {}, ...others } = options;
    this.ended = runLauncher({
      ...{ prod: dirname(options.file), build: false },
      ...{ watch: false, traffic: false },
      ...others,
      cwd: "/",
      env: {
        PATH: process.env.PATH,
        XDG_RUNTIME_DIR: this.runtimeDirectory,
        ...FREE_PORTS,
        ...env,
      },
      stdout: { write: (text) => (this.screen += text) },
      stderr: { write: (text) => (this.errors += text) },
      signal: this.#stopping.signal,
      tempDirectory: this.tempDirectory,
    }).finally(() => (this.hasEnded = true));
    onCleanup(() => this.stop());
  }

  /** Stops it as Ctrl-C does. */
  async stop(): Promise<number> {
    this.#stopping.abort();
    return await this.ended;
  }
}

/** Runs in a process of its own, for tests of signals and of the whole; killed after the test. */
export class LauncherProcess extends Launcher {
  readonly #process: Subprocess;

  constructor(script: string, args: readonly string[], env: Environment) {
    super();
    this.#process = new Subprocess([process.execPath, script, ...args], {
      name: "the launcher",
      env: {
        PATH: process.env.PATH,
        TMPDIR: this.tempDirectory,
        XDG_RUNTIME_DIR: this.runtimeDirectory,
        ...FREE_PORTS,
        ...env,
      },
    });
    onCleanup(() => this.#process.end());
  }

  get screen(): string {
    return this.#process.stdout;
  }

  get errors(): string {
    return this.#process.stderr;
  }

  get ended(): Promise<number | string> {
    return this.#process.ended;
  }

  get hasEnded(): boolean {
    return this.#process.ending !== undefined;
  }

  /** Sends it a signal and does not wait. */
  signal(signal: NodeJS.Signals): void {
    this.#process.child.kill(signal);
  }
}
