import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  startPrivateRedis,
  type PrivateRedis,
} from "../../test/support/redis/private-redis.js";
import { Reaper } from "../../apps/launcher/processes/reaper.js";
import type { ProxyStatus } from "../../apps/proxy/admin.js";
import {
  ENGINE_NAMES,
  type EngineName,
} from "../../apps/proxy/engines/engine.js";
import {
  RunningProduct,
  type Product,
} from "../../test/support/products/product.js";
import { findServicePort } from "../../test/support/system/service-port.js";
import { waitFor } from "../../test/support/wait-for.js";
import { describeBackend } from "./backend.js";
import { createEngine, OTHERS, type Engine } from "./contestants.js";
import { CORES, pin } from "./cores.js";
import { SpoiltRound } from "./wrk.js";

/** The running parts of a comparison: Redis, the backend, and the proxies in front of it. */
export class Stage {
  /** A directory for files, removed at the end. */
  readonly directory = makeDirectory(tmpdir());
  readonly node: string;
  readonly #reaper = new Reaper();
  readonly #running: RunningProduct[] = [];
  #redis: PrivateRedis | undefined;
  #backend: RunningProduct | undefined;
  #canaryPort = 0;

  /** @param node runs the proxies written for Node */
  constructor(node: string) {
    this.node = node;
  }

  get reaper(): Reaper {
    return this.#reaper;
  }

  get redisUrl(): string {
    return this.#open(this.#redis).url;
  }

  get backendPort(): number {
    return this.#open(this.#backend).port;
  }

  /** Starts Redis and the backend. */
  async open(): Promise<void> {
    this.#redis = await startPrivateRedis();
    this.#reaper.watch(this.#redis.pid);
    pin(this.#redis.pid, CORES.load);
    this.#canaryPort = await findServicePort();
    const backend = describeBackend(this.#canaryPort);
    this.#backend = await this.#start(backend, CORES.load);
  }

  /** Starts the other products. */
  async startOthers(): Promise<RunningProduct[]> {
    const others: RunningProduct[] = [];
    for (const product of OTHERS) others.push(await this.startProxy(product));
    return others;
  }

  /** Starts our proxy with each of its engines, and waits until the canary gets its share. */
  async startEngines(): Promise<RunningEngine[]> {
    const engines: RunningEngine[] = [];
    for (const name of ENGINE_NAMES) engines.push(await this.startEngine(name));
    return engines;
  }

  async startEngine(
    name: EngineName,
    options: { isTapped?: boolean } = {},
  ): Promise<RunningEngine> {
    const admin = await findServicePort();
    const ports = { admin, canary: this.#canaryPort };
    const engine = createEngine(name, ports, options);
    const running = await this.startProxy(engine.product);
    const started = { ...engine, running };
    await waitFor(
      `${engine.product.name} to let the canary in`,
      // The admin port may open later.
      async () => {
        this.assertWhole();
        return (await readStatus(started).catch(() => undefined))?.canary.open;
      },
    );
    return started;
  }

  async startProxy(product: Product): Promise<RunningProduct> {
    return await this.#start(product, CORES.proxy);
  }

  /** @throws SpoiltRound when a part has ended unexpectedly */
  assertWhole(): void {
    for (const { product, ending, output } of this.#running)
      if (ending !== undefined)
        throw new SpoiltRound(`${product.name} ended: ${ending}\n${output}`);
  }

  async end(running: RunningProduct): Promise<void> {
    this.#running.splice(this.#running.indexOf(running), 1);
    await running.close();
  }

  async close(): Promise<void> {
    for (const running of this.#running.toReversed()) await running.close();
    await this.#redis?.stop();
    await this.#reaper.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #start(product: Product, cpu: number): Promise<RunningProduct> {
    const place = {
      port: await findServicePort(),
      upstreamPort: this.#backend?.port ?? 0,
      directory: makeDirectory(this.directory),
      redisUrl: this.redisUrl,
      node: this.node,
    };
    const running = await RunningProduct.start(product, place, {
      reaper: this.#reaper,
      cpu,
    });
    this.#running.push(running);
    return running;
  }

  #open<T>(part: T | undefined): T {
    if (part === undefined) throw new Error("the stage is not open");
    return part;
  }
}

/** Readable for nginx's workers, which run as nobody when root starts them. */
function makeDirectory(parent: string): string {
  const directory = mkdtempSync(join(parent, "serin-bench-"));
  chmodSync(directory, 0o755);
  return directory;
}

export interface RunningEngine extends Engine {
  running: RunningProduct;
}

export async function readStatus({
  ports,
}: Pick<Engine, "ports">): Promise<ProxyStatus> {
  const response = await fetch(`http://127.0.0.1:${ports.admin}/status`);
  return (await response.json()) as ProxyStatus;
}
