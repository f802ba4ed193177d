import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { onCleanup } from "../cleanup.js";
import { waitFor } from "../wait-for.js";

export type Environment = Readonly<Record<string, string | undefined>>;

/** A process and what it has written. Whoever starts it ends it: by `endWithTest`, or by `end`. */
export class Subprocess {
  readonly name: string;
  readonly child: ChildProcess;
  stdout = "";
  stderr = "";
  /** Resolves when all of its output is here, to its exit status or the signal that ended it. */
  readonly ended: Promise<number | string>;
  /** Undefined while it runs. */
  ending: number | string | undefined;

  constructor(
    [command, ...args]: readonly [command: string, ...args: string[]],
    options: {
      /** For messages; the command unless told. */
      name?: string;
      env: Environment;
      /** In a process group of its own: a Ctrl-C in the terminal does not reach it. */
      isDetached?: boolean;
      /** Opens a channel for messages. */
      hasChannel?: boolean;
      /** Standard input is empty unless this is set. */
      hasInput?: boolean;
    },
  ) {
    const { name, env, isDetached, hasChannel, hasInput } = options;
    this.name = name ?? command;
    this.child = spawn(command, args, {
      env,
      detached: isDetached === true,
      stdio: [
        hasInput === true ? "pipe" : "ignore",
        ...(["pipe", "pipe"] as const),
        ...(hasChannel === true ? (["ipc"] as const) : []),
      ],
    });
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    // Not "exit", which may come before the last of its output.
    this.ended = once(this.child, "close").then(
      ([status, signal]: (number | string | null)[]) =>
        (this.ending = status ?? signal ?? "nothing"),
      (err: unknown) => (this.ending = String(err)),
    );
  }

  /** 0 when it could not be run. */
  get pid(): number {
    return this.child.pid ?? 0;
  }

  endWithTest(): this {
    onCleanup(() => this.end());
    return this;
  }

  /** Sends it a signal and waits until it has ended. */
  async end(signal: NodeJS.Signals = "SIGKILL"): Promise<number | string> {
    if (this.ending === undefined) this.child.kill(signal);
    return await this.ended;
  }

  /** Waits until its output matches. @throws also when it ends before, with what it wrote */
  async untilPrinted(
    pattern: RegExp,
    timeoutMs?: number,
  ): Promise<RegExpExecArray> {
    return await waitFor(
      `${String(pattern)} from ${this.name}`,
      () => {
        const match = pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
        if (match === null && this.ending !== undefined)
          throw new Error(
            `${this.name} ended (${this.ending}) before ${String(pattern)}:\n${this.stdout}${this.stderr}`,
          );
        return match;
      },
      timeoutMs,
    );
  }
}
