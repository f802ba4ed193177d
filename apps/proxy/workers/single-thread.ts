import type { Logger } from "../../../lib/program/log.js";
import type { ProxyConfig } from "../config.js";
import { Front, type FrontContext } from "../front.js";
import { createSharedCells } from "../shared-state.js";
import type { TrafficSum } from "../traffic/traffic-sum.js";

/** In place of a pool of workers, this thread alone. */
export class SingleThread {
  readonly #config: ProxyConfig;
  readonly #front: Front;
  readonly #traffic: TrafficSum;
  readonly #logger: Logger;
  #port: number | undefined;

  constructor(
    config: ProxyConfig,
    options: Omit<FrontContext, "ownConnections"> & { traffic: TrafficSum },
  ) {
    this.#config = config;
    this.#traffic = options.traffic;
    this.#logger = options.logger;
    const ownConnections = createSharedCells(1);
    this.#front = new Front(config, { ...options, ownConnections });
  }

  get port(): number {
    return this.#port ?? 0;
  }

  get isDraining(): boolean {
    return this.#front.isDraining;
  }

  get isListening(): boolean {
    return this.#port !== undefined && !this.isDraining;
  }

  async listen(): Promise<number> {
    const { host, port } = this.#config;
    this.#port = await this.#front.listen({ host, port });
    return this.#port;
  }

  count(): Promise<void> {
    const counted = this.#front.recorder.takeWindow(performance.now());
    this.#traffic.add(this, counted);
    return Promise.resolve();
  }

  reload(): Promise<void> {
    this.#logger.warn(
      {},
      "nothing to reload: SIGHUP replaces workers, and there are none with WORKERS=1",
    );
    return Promise.resolve();
  }

  close(): Promise<void> {
    return this.#front.close(this.#config.drainMs);
  }
}
