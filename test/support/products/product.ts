import type { Serializable } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { connect } from "node:net";
import type { Reaper } from "../../../apps/launcher/processes/reaper.js";
import { searchPath, type NeededProgram } from "../needed-program.js";
import { Subprocess } from "../programs/subprocess.js";

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
  readonly #process: Subprocess;
  readonly #reaper: Reaper;

  private constructor(
    product: Product,
    command: Command,
    options: { port: number; reaper: Reaper; cpu: number | undefined },
  ) {
    this.product = product;
    this.port = options.port;
    this.#reaper = options.reaper;
    const words = [command.file, ...command.args] as const;
    this.#process = new Subprocess(
      options.cpu === undefined
        ? words
        : ["taskset", "-c", String(options.cpu), ...words],
      {
        name: product.name,
        env: { PATH: searchPath(), ...command.env },
        // In its own process group, which the reaper kills.
        isDetached: true,
        hasChannel: command.ipc === true,
      },
    );
    this.#reaper.watch(this.pid);
    void this.#process.ended.then(() => this.#reaper.forget(this.pid));
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
    await running.#process.waitFor("a connection", () => accepts(place.port));
    return running;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** The end of its output. */
  get output(): string {
    return this.#process.output.slice(-20_000);
  }

  /** Its exit status, or the signal that ended it; undefined while it runs. */
  get ending(): number | string | undefined {
    return this.#process.ending;
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
    return await this.#process.ask(message);
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.child.kill(signal);
  }

  /** Waits until the process ends. */
  async untilEnded(): Promise<void> {
    await this.#process.ended;
  }

  /** Kills it and its children. May be called twice. */
  async close(): Promise<void> {
    if (this.ending !== undefined) return;
    try {
      process.kill(-this.pid, "SIGKILL");
    } catch {
      // It has already ended.
    }
    await this.#process.ended;
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
