import type { Side } from "../../lib/telemetry/telemetry.js";
import type { ProxyConfig } from "./config.js";
import { LocalConnectionCount } from "./clients/connection-count.js";
import { Front, type FrontContext } from "./front.js";
import type { TrafficCounts } from "./traffic/traffic-recorder.js";
import { TrafficTotals, type SideTotals } from "./traffic/traffic-totals.js";

/** Whoever serves the clients: this thread, or a pool of workers. */
export interface Serving {
  /** Once anybody is served, the one that they came by. */
  readonly port: number;
  readonly isDraining: boolean;
  /** Whether connections are taken. */
  readonly isListening: boolean;
  /** @returns the port. @throws when the address cannot be had */
  listen: () => Promise<number>;
  /** What was counted since the last window, which ends here. */
  takeWindow: () => Promise<Record<Side, TrafficCounts>>;
  /** Requests that the split gave to each side since the start. */
  readTotals: () => Promise<Readonly<Record<Side, number>>>;
  /** All requests that ended since the start. */
  readEnded: () => Promise<Record<Side, SideTotals>>;
  /** Finishes what is in flight. */
  close: () => Promise<void>;
}

/** This thread alone. */
export class SingleThread implements Serving {
  readonly #config: ProxyConfig;
  readonly #front: Front;
  readonly #ended: TrafficTotals;
  #isListening = false;
  #port = 0;

  constructor(config: ProxyConfig, context: Omit<FrontContext, "connections">) {
    this.#config = config;
    const connections = new LocalConnectionCount();
    this.#front = new Front(config, { ...context, connections });
    this.#ended = new TrafficTotals(this.#front.recorder);
  }

  get port(): number {
    return this.#port;
  }

  get isDraining(): boolean {
    return this.#front.isDraining;
  }

  get isListening(): boolean {
    return this.#isListening && !this.isDraining;
  }

  async listen(): Promise<number> {
    const { host, port } = this.#config;
    this.#port = await this.#front.listen({ host, port });
    this.#isListening = true;
    return this.#port;
  }

  takeWindow(): Promise<Record<Side, TrafficCounts>> {
    const window = this.#front.recorder.takeWindow(performance.now());
    this.#ended.add(window);
    return Promise.resolve(window);
  }

  readTotals(): Promise<Readonly<Record<Side, number>>> {
    return Promise.resolve(this.#front.recorder.totals);
  }

  readEnded(): Promise<Record<Side, SideTotals>> {
    return Promise.resolve(this.#ended.read());
  }

  close(): Promise<void> {
    return this.#front.close(this.#config.drainMs);
  }
}
