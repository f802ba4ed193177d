import {
  spawn,
  type ChildProcess,
  type Serializable,
} from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { waitFor } from "../wait-for.js";

/** Characters kept of each output. */
const OUTPUT_LIMIT = 1_000_000;

export type Environment = Readonly<Record<string, string | undefined>>;

/** A process and its output. The caller ends it. */
export class Subprocess {
  readonly name: string;
  readonly child: ChildProcess;
  stdout = "";
  stderr = "";
  /** Resolves after the end of its output, to its exit status or the signal that ended it. */
  readonly ended: Promise<number | string>;
  /** Undefined while it runs. */
  ending: number | string | undefined;

  constructor(
    [command, ...args]: readonly [command: string, ...args: string[]],
    options: {
      env: Environment;
      /** For messages; the command unless told. */
      name?: string;
      /** In its own process group, which a Ctrl-C in the terminal does not reach. */
      isDetached?: boolean;
      /** Opens a channel for messages. */
      hasChannel?: boolean;
      /** Makes its standard input a pipe; it is empty otherwise. */
      hasInput?: boolean;
      /** Called with each line of its standard output. */
      onLine?: (line: string) => void;
    },
  ) {
    const { env, name = command, onLine } = options;
    const { isDetached = false, hasChannel, hasInput } = options;
    this.name = name;
    this.child = spawn(command, args, {
      env,
      detached: isDetached,
      stdio: [
        hasInput === true ? "pipe" : "ignore",
        ...(["pipe", "pipe"] as const),
        ...(hasChannel === true ? (["ipc"] as const) : []),
      ],
    });
    const { stdout, stderr } = this.child;
    stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.stdout = (this.stdout + text).slice(-OUTPUT_LIMIT);
    });
    stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr = (this.stderr + text).slice(-OUTPUT_LIMIT);
    });
    if (stdout !== null && onLine !== undefined)
      createInterface({ input: stdout }).on("line", onLine);
    // "exit" may be emitted before the end of the output.
    this.ended = once(this.child, "close").then(
      ([status, signal]: (number | string | null)[]) =>
        (this.ending = status ?? signal ?? "nothing"),
      (err: unknown) => (this.ending = `could not be run: ${String(err)}`),
    );
  }

  /** 0 when it could not be run. */
  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Standard output and standard error. */
  get output(): string {
    return this.stdout + this.stderr;
  }

  /** Sends a signal and waits for the end. May be called twice. */
  async end(signal: NodeJS.Signals = "SIGKILL"): Promise<number | string> {
    if (this.ending === undefined) this.child.kill(signal);
    return await this.ended;
  }

  /** Sends a message and waits for the reply. */
  async ask(message: Serializable): Promise<unknown> {
    const answered = once(this.child, "message");
    this.child.send(message);
    const [answer] = (await answered) as [unknown];
    return answer;
  }

  /** Waits until standard output or standard error matches. */
  async untilPrinted(
    pattern: RegExp,
    timeoutMs?: number,
  ): Promise<RegExpExecArray> {
    return await this.waitFor(
      String(pattern),
      () => pattern.exec(this.stdout) ?? pattern.exec(this.stderr),
      timeoutMs,
    );
  }

  /** Like `waitFor`. @throws when the process ends first, with its output */
  async waitFor<T>(
    what: string,
    probe: Parameters<typeof waitFor<T>>[1],
    timeoutMs?: number,
  ): Promise<T> {
    return await waitFor(
      `${what} from ${this.name}`,
      async () => {
        const hasEnded = this.ending !== undefined;
        const seen = await probe();
        if (hasEnded && (seen === undefined || seen === null || seen === false))
          throw new Error(
            `${this.name} ended before ${what}: ${this.ending}\n${this.output}`,
          );
        return seen;
      },
      timeoutMs,
    );
  }
}
