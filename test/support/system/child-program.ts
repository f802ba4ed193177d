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

/** One line of a program's log. */
export interface LogEntry {
  level: string;
  msg: string;
  [field: string]: unknown;
}

export interface ProgramSpec {
  /** In messages: `canary app`. */
  name: string;
  /** Its entry point, and what Node is told before it. */
  main: string;
  nodeOptions?: readonly string[];
  /** All it is told, including a PORT that stays its own. */
  env: Environment;
  /** Its log line that says that it listens: `proxy listens`. */
  readyMessage: string;
  /** Called with its pid at each start. */
  onStart?: (pid: number) => void;
}

/** One process of a program. */
interface Run {
  child: ChildProcess;
  /** Its exit status, or the signal that ended it. */
  ended: Promise<number | string>;
  ending: number | string | undefined;
  /** Whether somebody here asked for its end. */
  isToEnd: boolean;
}

/**
 * A program as its operators run it: a process, set by environment variables, that can be killed and started again.
 * Should this process be gone without ending it, the reaper does.
 */
export class ChildProgram {
  readonly name: string;
  readonly port: number;
  /** Of all its runs. */
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

  /** Starts it, if need be with other settings, and waits until it listens. */
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

  /** Sends a signal that does not end it. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#run.child.kill(signal);
  }

  /** Sends a signal that ends it, and waits for that. @returns its exit status, or the signal */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<number | string> {
    const run = this.#run;
    run.isToEnd = true;
    run.child.kill(signal);
    return await run.ended;
  }

  /** Sends it a message and waits for its answer; only programs of the tests' and benchmarks' own take any. */
  async ask(message: Serializable): Promise<unknown> {
    const { child } = this.#run;
    const answered = once(child, "message");
    child.send(message);
    const [answer] = (await answered) as [unknown];
    return answer;
  }

  /** Which requests have reached it, in order, except in runs that were killed; it is to have the request tap. */
  async requestStarts(): Promise<readonly RequestStart[]> {
    const starts = (await this.ask("tell")) as RequestStart[];
    this.#requestStarts.push(...starts);
    return this.#requestStarts;
  }

  /** When the last request reached it; -Infinity before the first. */
  async lastRequestStart(): Promise<number> {
    const starts = await this.requestStarts();
    return starts.at(-1)?.atMs ?? -Infinity;
  }

  /** Waits for a line of its log, of any run. */
  async logs(msg: string, timeoutMs?: number): Promise<LogEntry> {
    return await waitFor(
      `${this.name} to log "${msg}"`,
      () => this.log.find((entry) => entry.msg === msg),
      timeoutMs,
    );
  }

  /** Ends it if it runs. @returns what it did that a healthy program never does */
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
    // In a process group of its own, by which the reaper ends it.
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
    // Not "exit", which may come before the last of its output.
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
