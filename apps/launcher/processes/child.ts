import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, renameSync, writeFileSync } from "node:fs";
import type { Reaper } from "./reaper.js";

/** How to run a program. */
export interface ProgramSpec {
  /** For people, such as `prod app`. */
  name: string;
  command: string;
  args: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  /** The file to which its output is appended. */
  logFile: string;
  /** The file that receives its pid at each start. */
  pidFile?: string;
  isReady: () => Promise<boolean>;
}

/** How a process ended: `ended with status 1`, `was killed by SIGKILL`. */
export type Ending = string;

/**
 * A running program in its own process group. Ctrl-C in a terminal therefore reaches only the launcher, which stops the
 * programs in order.
 */
export class Child {
  readonly #process: ChildProcess;
  /** Resolves when the process has ended or could not be started. */
  readonly ended: Promise<Ending>;
  #ending: Ending | undefined;

  constructor(spec: ProgramSpec, reaper: Reaper) {
    const log = openSync(spec.logFile, "a");
    this.#process = spawn(spec.command, spec.args, {
      detached: true,
      env: spec.env,
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    this.ended = this.#untilEnded(reaper);
    if (this.pid === undefined) return;
    reaper.watch(this.pid);
    if (spec.pidFile !== undefined) writePid(spec.pidFile, this.pid);
  }

  /** Undefined if it could not be started. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Undefined while it runs. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** Sends SIGTERM, and SIGKILL after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#signal("SIGTERM");
    const timer = setTimeout(() => this.#signal("SIGKILL"), graceMs);
    await this.ended;
    clearTimeout(timer);
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.pid === undefined || this.#ending !== undefined) return;
    try {
      process.kill(-this.pid, signal);
    } catch {
      return; // It has ended, and its exit event will follow.
    }
  }

  #untilEnded(reaper: Reaper): Promise<Ending> {
    return new Promise((resolve) => {
      const end = (how: Ending) => {
        this.#ending = how;
        if (this.pid !== undefined) reaper.forget(this.pid);
        resolve(how);
      };
      this.#process.once("error", (err) =>
        end(`could not be run: ${err.message}`),
      );
      this.#process.once("exit", (status, signal) =>
        end(
          signal === null
            ? `ended with status ${String(status)}`
            : `was killed by ${signal}`,
        ),
      );
    });
  }
}

/** Atomic: readers never see a partial file. */
function writePid(file: string, pid: number): void {
  writeFileSync(`${file}.new`, `${pid}\n`);
  renameSync(`${file}.new`, file);
}
