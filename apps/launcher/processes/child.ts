import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, renameSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Reaper } from "./reaper.js";

const GROUP_POLL_MS = 10;
/** A dead process that nobody reaps stays in its group. */
const KILL_DEADLINE_MS = 1000;

/** How to run a program. */
export interface ProgramSpec {
  /** For people, such as `prod app`. */
  name: string;
  command: string;
  args: readonly string[];
  /** The working directory; the launcher's own unless told. */
  cwd?: string;
  env: Readonly<Record<string, string | undefined>>;
  /** The file to which its output is appended. */
  logFile: string;
  /** The file that receives its pid at each start. */
  pidFile?: string;
  isReady: () => Promise<boolean>;
  /** Finds the process that does the work once it is ready; its pid replaces that of a shell in the file. */
  findPid?: () => Promise<number | undefined>;
  /** 30 s unless told. */
  readyWithinMs?: number;
  /** Where it is expected to answer, for people. */
  readyAt?: string;
  /** Says why it did not start, and what helps. @param ending undefined if it runs, but is not ready */
  cure?: (
    ending: Ending | undefined,
  ) => Promise<string | undefined> | string | undefined;
  /** What else to check when it does not start. */
  advice?: string;
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
  /** By the monotonic clock. */
  #killAt = 0;

  constructor(spec: ProgramSpec, reaper: Reaper) {
    const log = openSync(spec.logFile, "a");
    this.#process = spawn(spec.command, spec.args, {
      detached: true,
      cwd: spec.cwd,
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
    this.#killAt = performance.now() + graceMs;
    this.signal("SIGTERM");
    // A suspended process would not see it.
    this.signal("SIGCONT");
    const timer = setTimeout(() => this.signal("SIGKILL"), graceMs);
    await this.ended;
    clearTimeout(timer);
  }

  /** Writes the pid of the process that does the work. */
  async recordPid({ pidFile, findPid }: ProgramSpec): Promise<void> {
    const pid = await findPid?.();
    if (
      pidFile !== undefined &&
      pid !== undefined &&
      this.#ending === undefined
    )
      writePid(pidFile, pid);
  }

  /** Signals the whole group. */
  signal(signal: NodeJS.Signals): void {
    if (this.pid === undefined || this.#ending !== undefined) return;
    sendToGroup(this.pid, signal);
  }

  async #untilEnded(reaper: Reaper): Promise<Ending> {
    const ending = await this.#untilExit();
    if (this.pid !== undefined) {
      await this.#clearGroup(this.pid);
      reaper.forget(this.pid);
    }
    this.#ending = ending;
    return ending;
  }

  #untilExit(): Promise<Ending> {
    return new Promise((resolve) => {
      this.#process.once("error", (err) =>
        resolve(`could not be run: ${err.message}`),
      );
      this.#process.once("exit", (status, signal) =>
        resolve(
          signal === null
            ? `ended with status ${String(status)}`
            : `was killed by ${signal}`,
        ),
      );
    });
  }

  /** A shell may end before what it has started: that may finish within the grace of a stop, and is killed otherwise. */
  async #clearGroup(group: number): Promise<void> {
    const giveUpAt =
      Math.max(this.#killAt, performance.now()) + KILL_DEADLINE_MS;
    while (sendToGroup(group, 0) && performance.now() < giveUpAt) {
      if (performance.now() >= this.#killAt) sendToGroup(group, "SIGKILL");
      await sleep(GROUP_POLL_MS);
    }
  }
}

/** @returns whether the group exists; 0 only checks that */
function sendToGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal);
  } catch {
    return false;
  }
}

/** Atomic: readers never see a partial file. */
function writePid(file: string, pid: number): void {
  writeFileSync(`${file}.new`, `${pid}\n`);
  renameSync(`${file}.new`, file);
}
