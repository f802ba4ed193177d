import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, renameSync, writeFileSync } from "node:fs";
import type { Reaper } from "./reaper.js";

/** A program as it is to be run. */
export interface ProgramSpec {
  /** For people: `prod app`. */
  name: string;
  command: string;
  args: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  /** Its output is appended here. */
  logFile: string;
  /** Gets its pid at every start. */
  pidFile?: string;
  isReady: () => Promise<boolean>;
}

/** How a process ended: `ended with status 1`, `was killed by SIGKILL`. */
export type Ending = string;

/**
 * A running program, in a process group of its own: Ctrl-C in a terminal must reach it only through the launcher, which
 * stops the programs in order.
 */
export class Child {
  readonly #process: ChildProcess;
  /** Resolves when it is gone, or could not be run at all. */
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

  /** Undefined when it could not be run. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Undefined while it runs. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** Asks it to stop, and ends it if it has not after `graceMs`. */
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
      return; // It has gone, and its exit event is on the way.
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

/** In one step: a reader never sees half of it. */
function writePid(file: string, pid: number): void {
  writeFileSync(`${file}.new`, `${pid}\n`);
  renameSync(`${file}.new`, file);
}
