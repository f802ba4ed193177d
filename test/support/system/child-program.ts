import {
  spawn,
  type ChildProcess,
  type Serializable,
} from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { Reaper } from "../../../apps/launcher/processes/reaper.js";
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
  child: ChildProcess;
  /** The exit status, or the signal that ended it. */
  ended: Promise<number | string>;
  ending: number | string | undefined;
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
  #unexpectedOutput = "";

  constructor(spec: ProgramSpec, reaper: Reaper) {
    this.name = spec.name;
    this.port = Number(spec.env.PORT);
    this.#spec = spec;
    this.#reaper = reaper;
  }

  get pid(): number {
    return this.#run.child.pid ?? 0;
  }

  /** Starts it, optionally with other settings, and waits until it is ready. */
  async start(env: Environment = {}): Promise<void> {
    const { name, readyMessage } = this.#spec;
    const seen = this.log.length;
    const run = this.#spawn(env);
    await waitFor(
      `${name} to listen`,
      () => {
        if (run.ending !== undefined)
          throw new Error(`${name} ended: ${run.ending}\n${this.#output()}`);
        return this.log.slice(seen).some(({ msg }) => msg === readyMessage);
      },
      START_DEADLINE_MS,
    );
  }

  /** Pauses or resumes it. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#run.child.kill(signal);
  }

  /** Ends it and waits. @returns its exit status, or the signal */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<number | string> {
    const run = this.#run;
    run.isToEnd = true;
    run.child.kill(signal);
    return await run.ended;
  }

  /** Sends a message and waits for the reply; only for programs with a tap. */
  async ask(message: Serializable): Promise<unknown> {
    const { child } = this.#run;
    const answered = once(child, "message");
    child.send(message);
    const [answer] = (await answered) as [unknown];
    return answer;
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
    const last = this.#runs.at(-1);
    const problems = this.#runs
      .filter(({ ending, isToEnd }) => ending !== undefined && !isToEnd)
      .map(({ ending }) => `${this.name} ended by itself: ${ending ?? ""}`);
    if (last !== undefined && last.ending === undefined) {
      last.child.kill("SIGKILL");
      await last.ended;
    }
    for (const entry of this.log)
      if (entry.level === "error")
        problems.push(`${this.name} logged ${JSON.stringify(entry)}`);
    if (this.#unexpectedOutput !== "")
      problems.push(`${this.name} wrote ${this.#unexpectedOutput}`);
    return problems;
  }

  get #run(): Run {
    const run = this.#runs.at(-1);
    if (run === undefined) throw new Error(`${this.name} was never started`);
    return run;
  }

  #spawn(env: Environment): Run {
    const { main, nodeOptions = [], onStart } = this.#spec;
    // In its own process group, which the reaper kills.
    const child = spawn(
      process.execPath,
      ["--enable-source-maps", ...nodeOptions, main],
      {
        detached: true,
        env: { ...this.#spec.env, ...env },
        stdio: ["ignore", "pipe", "pipe", "ipc"],
      },
    );
    const pid = child.pid ?? 0;
    this.#reaper.watch(pid);
    onStart?.(pid);
    // "exit" may be emitted before the end of the output.
    const ended = once(child, "close").then(([code, signal]) => {
      this.#reaper.forget(pid);
      return (run.ending = (code ?? signal) as number | string);
    });
    const run: Run = { child, ended, ending: undefined, isToEnd: false };
    this.#runs.push(run);
    readLines(child.stdout, (line) => this.#readLogLine(line));
    readLines(child.stderr, (line) => (this.#unexpectedOutput += `${line}\n`));
    return run;
  }

  #readLogLine(line: string): void {
    try {
      this.log.push(JSON.parse(line) as LogEntry);
    } catch {
      this.#unexpectedOutput += `${line}\n`;
    }
  }

  #output(): string {
    const log = this.log.slice(-20).map((entry) => JSON.stringify(entry));
    return [...log, this.#unexpectedOutput].join("\n");
  }
}

function readLines(
  stream: Readable | null,
  onLine: (line: string) => void,
): void {
  if (stream !== null) createInterface({ input: stream }).on("line", onLine);
}
