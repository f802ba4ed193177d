import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { Reaper } from "../../../apps/launcher/processes/reaper.js";
import type { MonitorState } from "../../../apps/monitor/api/state.js";
import type { ProxyStatus } from "../../../apps/proxy/admin.js";
import type { Keys } from "../../../lib/redis/keys.js";
import {
  Ledger,
  type EventKind,
  type LedgerEvent,
} from "../../../lib/flag/ledger.js";
import { connectRedis } from "../redis/redis-server.js";
import { ChildProgram, type ProgramSpec } from "./child-program.js";
import { callForJson } from "./http-call.js";
import { MailSink } from "./mail-sink.js";
import {
  describeAgent,
  describeApp,
  describeMonitor,
  describeProxy,
  type Layout,
} from "./program-specs.js";
import { findServicePort } from "./service-port.js";

export interface SystemOptions {
  redisUrl: string;
  keys: Keys;
  /** Settings by program, other than addresses. */
  env: Layout["env"];
  nodeOptions?: Layout["nodeOptions"];
  /** Default: 1. */
  monitors?: number;
  /** Replaces the canary app, and prod's. */
  describeCanary?: (layout: Layout) => ProgramSpec;
  describeProd?: (layout: Layout) => ProgramSpec;
}

/** The whole of Serin on this machine, with each program in its own process. */
export class System {
  readonly prodApp: ChildProgram;
  readonly canaryApp: ChildProgram;
  readonly prodAgent: ChildProgram;
  readonly canaryAgent: ChildProgram;
  readonly proxy: ChildProgram;
  readonly monitors: readonly ChildProgram[];
  readonly mailSink: MailSink;
  /** A connection to Redis for the test. */
  readonly redis: Redis;
  readonly keys: Keys;
  readonly ledger: Ledger;
  readonly #reaper = new Reaper();
  readonly #layout: Layout;
  readonly #programs: ChildProgram[] = [];

  private constructor(
    options: SystemOptions,
    layout: Layout,
    monitorPorts: readonly number[],
  ) {
    const add = (spec: ProgramSpec) => {
      const program = new ChildProgram(spec, this.#reaper);
      this.#programs.push(program);
      return program;
    };
    this.#layout = layout;
    this.prodApp = add(
      options.describeProd?.(layout) ?? describeApp("prod", layout),
    );
    this.canaryApp = add(
      options.describeCanary?.(layout) ?? describeApp("canary", layout),
    );
    this.prodAgent = add(describeAgent("prod", layout));
    this.canaryAgent = add(describeAgent("canary", layout));
    this.proxy = add(describeProxy(layout));
    this.monitors = monitorPorts.map((port) =>
      add(describeMonitor(layout, port)),
    );
    this.mailSink = new MailSink(layout.ports.smtp);
    this.keys = options.keys;
    this.redis = connectRedis(options.redisUrl);
    // Some tests stop Redis.
    this.redis.on("error", () => undefined);
    this.ledger = new Ledger(this.redis, options.keys);
  }

  /** Chooses ports and folders without starting anything. */
  static async create(options: SystemOptions): Promise<System> {
    const port = findServicePort;
    const layout: Layout = {
      redisUrl: options.redisUrl,
      keyPrefix: options.keys.prefix,
      ports: {
        app: { prod: await port(), canary: await port() },
        agent: { prod: await port(), canary: await port() },
        proxy: await port(),
        proxyAdmin: await port(),
        smtp: await port(),
      },
      directory: mkdtempSync(join(tmpdir(), "serin-system-")),
      env: options.env,
      nodeOptions: options.nodeOptions ?? {},
    };
    const monitorPorts: number[] = [];
    for (let i = 0; i < (options.monitors ?? 1); i++)
      monitorPorts.push(await port());
    return new System(options, layout, monitorPorts);
  }

  /** The only monitor, or the first of several. */
  get monitor(): ChildProgram {
    return this.monitors[0]!;
  }

  /** Opens the mail sink and starts all programs, the apps first, so that the agents find them. */
  async start(): Promise<void> {
    await this.mailSink.open();
    await Promise.all([this.prodApp.start(), this.canaryApp.start()]);
    await Promise.all(
      [this.prodAgent, this.canaryAgent, this.proxy, ...this.monitors].map(
        (program) => program.start(),
      ),
    );
  }

  get proxyAdminPort(): number {
    return this.#layout.ports.proxyAdmin;
  }

  async proxyStatus(): Promise<ProxyStatus> {
    return (await callForJson({
      port: this.proxyAdminPort,
      path: "/status",
    })) as ProxyStatus;
  }

  /** The state of a monitor (default: the first). */
  async state(monitor = this.monitor): Promise<MonitorState> {
    return (await callForJson({
      port: monitor.port,
      path: "/api/state",
    })) as MonitorState;
  }

  /** Flips the flag as an operator, through the API of a monitor. */
  async setFlag(
    value: boolean | "toggle",
    monitor = this.monitor,
  ): Promise<void> {
    await callForJson({
      port: monitor.port,
      path: "/api/flags/feature",
      method: "POST",
      body: JSON.stringify({ value, reason: "a test asks for it" }),
    });
  }

  /** The ledger's entries of a kind, oldest first. */
  async events(kind: EventKind): Promise<LedgerEvent[]> {
    const newestFirst = await this.ledger.readEvents({ limit: 1000, kind });
    return newestFirst.reverse();
  }

  /**
   * Ends all programs, in whatever state they are.
   *
   * @throws if a program exited by itself, logged an error, or wrote output that is not a log line
   */
  async close(): Promise<void> {
    const problems = await Promise.all(
      this.#programs.map((program) => program.close()),
    );
    await this.#reaper.close();
    await this.mailSink.close();
    this.redis.disconnect();
    rmSync(this.#layout.directory, { recursive: true, force: true });
    if (problems.flat().length > 0) throw new Error(problems.flat().join("\n"));
  }
}
