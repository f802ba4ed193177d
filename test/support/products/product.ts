import {
  spawn,
  type ChildProcess,
  type Serializable,
} from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { connect } from "node:net";
import type { Reaper } from "../../../apps/launcher/processes/reaper.js";
import { searchPath, type NeededProgram } from "../needed-program.js";
import { waitFor } from "../wait-for.js";

/** Where to run a proxy under test. */
export interface Place {
  port: number;
  /** On loopback. */
  upstreamPort: number;
  /** For its files; removed afterwards. */
  directory: string;
  redisUrl: string;
  /** The Node for products that need it. */
  node: string;
  /** Further settings for our own engines. */
  env?: Readonly<Record<string, string>>;
}

export interface Command {
  file: string;
  args: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** Whether it answers messages over IPC (leak-tap.ts). */
  ipc?: boolean;
}

/** A reverse proxy: one of our engines, or another program to compare with. */
export interface Product {
  readonly name: string;
  readonly isOurs: boolean;
  readonly needs?: NeededProgram;
  readonly describe: (place: Place) => Command;
}

/** The running process of a product, with its children. */
export class RunningProduct {
  readonly product: Product;
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #reaper: Reaper;
  readonly #ended: Promise<void>;
  #ending: string | undefined;
  #output = "";

  private constructor(
    product: Product,
    command: Command,
    options: { port: number; reaper: Reaper; cpu: number | undefined },
  ) {
    this.product = product;
    this.port = options.port;
    this.#reaper = options.reaper;
    const words = [command.file, ...command.args];
    if (options.cpu !== undefined)
      words.unshift("taskset", "-c", String(options.cpu));
    // In its own process group, which the reaper kills.
    this.#child = spawn(words[0] ?? "", words.slice(1), {
      detached: true,
      env: { PATH: searchPath(), ...command.env },
      stdio: [
        "ignore",
        "pipe",
        "pipe",
        ...(command.ipc ? (["ipc"] as const) : []),
      ],
    });
    this.#reaper.watch(this.pid);
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#output = (this.#output + text).slice(-20_000);
      });
    this.#ended = once(this.#child, "exit").then(([code, signal]) => {
      this.#reaper.forget(this.pid);
      this.#ending = String(code ?? signal);
    });
  }

  /** Starts it and waits until it listens. @param options.cpu the core to pin it to */
  static async start(
    product: Product,
    place: Place,
    options: { reaper: Reaper; cpu?: number },
  ): Promise<RunningProduct> {
    const running = new RunningProduct(product, product.describe(place), {
      port: place.port,
      reaper: options.reaper,
      cpu: options.cpu,
    });
    await waitFor(`${product.name} to listen`, async () => {
      if (running.ending !== undefined)
        throw new Error(`${product.name} ended: ${running.output}`);
      return await accepts(place.port);
    });
    return running;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The end of its output. */
  get output(): string {
    return this.#output;
  }

  /** Its exit status, or the signal that ended it; undefined while it runs. */
  get ending(): string | undefined {
    return this.#ending;
  }

  /** The pids of the process and its descendants. */
  get pids(): number[] {
    return descendantsOf(this.pid);
  }

  get residentBytes(): number {
    return sum(this.pids.map(readResidentBytes));
  }

  /** Open files and sockets. */
  get openFiles(): number {
    return sum(this.pids.map((pid) => readdirSync(`/proc/${pid}/fd`).length));
  }

  /** CPU time, user and system, in clock ticks of 10 ms. */
  get cpuTicks(): number {
    return sum(this.pids.map(readCpuTicks));
  }

  /** Sends a message and waits for the reply; only for commands with `ipc`. */
  async ask(message: Serializable): Promise<unknown> {
    const answered = once(this.#child, "message");
    this.#child.send(message);
    const [answer] = (await answered) as [unknown];
    return answer;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits until the process ends. */
  async untilEnded(): Promise<void> {
    await this.#ended;
  }

  /** Kills it and its children. May be called twice. */
  async close(): Promise<void> {
    if (this.#ending !== undefined) return;
    try {
      process.kill(-this.pid, "SIGKILL");
    } catch {
      // It has already ended.
    }
    await this.#ended;
  }
}

export function descendantsOf(pid: number): number[] {
  let children: string;
  try {
    children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  } catch {
    return [];
  }
  const pids = children.split(" ").filter(Boolean).map(Number);
  return [pid, ...pids.flatMap(descendantsOf)];
}

function readResidentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

function readCpuTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // After the name, which may contain anything: state is field 3, utime 14 and stime 15 (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" }, () => {
      resolve(true);
      socket.destroy();
    });
    socket.once("error", () => resolve(false));
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
