import type { Serializable } from "node:child_process";
import type { Reaper } from "../../../apps/launcher/processes/reaper.js";
import { Subprocess } from "../programs/subprocess.js";
import { waitFor } from "../wait-for.js";
import type { RequestStart } from "./request-tap.js";

const START_DEADLINE_MS = 20_000;

export type Environment = Readonly<Record<string, string>>;

/** A line of a program's log. */
export interface LogEntry {
  level: string;
  msg: string;
  [field: string]: unknown;
}

export interface ProgramSpec {
  /** For messages, such as `canary app`. */
  name: string;
  /** Its entry point, and the options of Node before it. */
  main: string;
  nodeOptions?: readonly string[];
  /** The whole environment, including a fixed PORT. */
  env: Environment;
  /** The log message after which it is ready, such as `proxy listens`. */
  readyMessage: string;
  /** Receives its pid at each start. */
  onStart?: (pid: number) => void;
}

/** A process of the program. */
interface Run {
  subprocess: Subprocess;
  /** Whether the test ended it. */
  isToEnd: boolean;
}

/**
 * A program in its own process, configured by environment variables, which can be killed and restarted. The reaper kills it if
 * the test process ends first.
 */
export class ChildProgram {
  readonly name: string;
  readonly port: number;
  /** The lines of all its runs. */
  readonly log: LogEntry[] = [];
  readonly #spec: ProgramSpec;
  readonly #reaper: Reaper;
  readonly #runs: Run[] = [];
  readonly #requestStarts: RequestStart[] = [];
  /** On standard output, where log lines are to be. */
  #unexpectedLines = "";

  constructor(spec: ProgramSpec, reaper: Reaper) {
    this.name = spec.name;
    this.port = Number(spec.env.PORT);
    this.#spec = spec;
    this.#reaper = reaper;
  }

  get pid(): number {
    return this.#run.subprocess.pid;
  }

  /** Starts it, optionally with other settings, and waits until it is ready. */
  async start(env: Environment = {}): Promise<void> {
    const { readyMessage } = this.#spec;
    const seen = this.log.length;
    await this.#spawn(env).waitFor(
      readyMessage,
      () => this.log.slice(seen).some(({ msg }) => msg === readyMessage),
      START_DEADLINE_MS,
    );
  }

  /** Pauses or resumes it. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#run.subprocess.child.kill(signal);
  }

  /** Ends it and waits. @returns its exit status, or the signal */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<number | string> {
    const run = this.#run;
    run.isToEnd = true;
    return await run.subprocess.end(signal);
  }

  /** Sends a message and waits for the reply; only for programs with a tap. */
  async ask(message: Serializable): Promise<unknown> {
    return await this.#run.subprocess.ask(message);
  }

  /** The times of requests that reached it, except in killed runs. It must have the request tap. */
  async requestStarts(): Promise<readonly RequestStart[]> {
    const starts = (await this.ask("tell")) as RequestStart[];
    this.#requestStarts.push(...starts);
    return this.#requestStarts;
  }

  /** The time of the last request, or -Infinity. */
  async lastRequestStart(): Promise<number> {
    const starts = await this.requestStarts();
    return starts.at(-1)?.atMs ?? -Infinity;
  }

  /** Waits for a line in the log of any run. */
  async logs(msg: string, timeoutMs?: number): Promise<LogEntry> {
    return await waitFor(
      `${this.name} to log "${msg}"`,
      () => this.log.find((entry) => entry.msg === msg),
      timeoutMs,
    );
  }

  /** Ends it if it runs. @returns unexpected exits, errors and output */
  async close(): Promise<string[]> {
    const problems = this.#runs
      .filter(
        ({ subprocess, isToEnd }) =>
          subprocess.ending !== undefined && !isToEnd,
      )
      .map(
        ({ subprocess }) =>
          `${this.name} ended by itself: ${subprocess.ending}`,
      );
    await this.#runs.at(-1)?.subprocess.end();
    for (const entry of this.log)
      if (entry.level === "error")
        problems.push(`${this.name} logged ${JSON.stringify(entry)}`);
    const unexpected =
      this.#unexpectedLines +
      this.#runs.map(({ subprocess }) => subprocess.stderr).join("");
    if (unexpected !== "") problems.push(`${this.name} wrote ${unexpected}`);
    return problems;
  }

  get #run(): Run {
    const run = this.#runs.at(-1);
    if (run === undefined) throw new Error(`${this.name} was never started`);
    return run;
  }

  #spawn(env: Environment): Subprocess {
    const { main, nodeOptions = [], onStart } = this.#spec;
    const subprocess = new Subprocess(
      [process.execPath, "--enable-source-maps", ...nodeOptions, main],
      {
        name: this.name,
        env: { ...this.#spec.env, ...env },
        // In its own process group, which the reaper kills.
        isDetached: true,
        hasChannel: true,
        onLine: (line) => this.#readLogLine(line),
      },
    );
    const { pid } = subprocess;
    this.#reaper.watch(pid);
    onStart?.(pid);
    void subprocess.ended.then(() => this.#reaper.forget(pid));
    this.#runs.push({ subprocess, isToEnd: false });
    return subprocess;
  }

  #readLogLine(line: string): void {
    try {
      this.log.push(JSON.parse(line) as LogEntry);
    } catch {
      this.#unexpectedLines += `${line}\n`;
    }
  }
}
