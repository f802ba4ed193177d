import { setTimeout as sleep } from "node:timers/promises";
import { findPorts } from "../ports.js";
import type { Fault } from "../options.js";
import type { Layout } from "../processes/programs.js";
import { describeService, type Source } from "../processes/service.js";
import type { Supervisor } from "../processes/supervisor.js";
import { FaultHop, type HopMode } from "./fault-hop.js";

const GRACE_MS = 1500;
const HOP_MODES: Partial<Record<Fault, HopMode>> = {
  slow: "slow",
  errors: "errors",
};

interface CanaryOptions {
  source: Source;
  supervisor: Supervisor;
  layout: Layout;
  signal: AbortSignal;
}

/**
 * The running canary, which gets other code or a fault on demand. At the first fault that needs it, the service moves behind
 * a hop and stays there: until then nothing is between it and the proxy, and one mechanism serves every service.
 */
export class Canary {
  readonly #options: CanaryOptions;
  #source: Source;
  #port: number;
  #hop: FaultHop | undefined;
  #waiting = new AbortController();

  constructor(options: CanaryOptions) {
    this.#options = options;
    this.#source = options.source;
    this.#port = options.layout.ports.canaryApp;
  }

  /** Replaces the process by one of this source, and waits until it is ready, has ended or takes too long. */
  async restart(source = this.#source): Promise<void> {
    this.#source = source;
    if (this.#hop !== undefined) this.#hop.isWaiting = true;
    const { supervisor, layout, signal } = this.#options;
    const waiting = (this.#waiting = new AbortController());
    const spec = describeService("canary", source, layout, this.#port);
    const patience = sleep(GRACE_MS + (spec.readyWithinMs ?? 0), undefined, {
      signal: AbortSignal.any([signal, waiting.signal]),
    });
    const isOver = patience.catch(() => undefined);
    await Promise.race([supervisor.restart(spec, GRACE_MS), isOver]);
    waiting.abort();
  }

  /** Lets a person's next action begin before the canary is ready. */
  stopWaiting(): void {
    this.#waiting.abort();
  }

  async inject(fault: Fault): Promise<void> {
    const { supervisor } = this.#options;
    const mode = HOP_MODES[fault];
    if (mode !== undefined) (await this.#openHop()).mode = mode;
    else if (fault === "crash") this.#crash();
    else supervisor.signal("SIGSTOP");
  }

  /** Ends the fault. */
  async resume(): Promise<void> {
    const { supervisor } = this.#options;
    if (this.#hop !== undefined) this.#hop.mode = "pass";
    supervisor.signal("SIGCONT");
    if (supervisor.hasCrashed) await this.restart();
  }

  async close(): Promise<void> {
    await this.#hop?.close();
  }

  #crash(): void {
    if (this.#hop !== undefined) this.#hop.isWaiting = false;
    this.#options.supervisor.crash();
  }

  async #openHop(): Promise<FaultHop> {
    if (this.#hop !== undefined) return this.#hop;
    const { layout, signal } = this.#options;
    const { host } = layout.config;
    const wish = { user: "the canary", variable: "CANARY_PORT", host, port: 0 };
    const { own } = await findPorts({ own: wish });
    const hop = new FaultHop({ host, port: own });
    this.#hop = hop;
    this.#port = own;
    const listening = hop.listen(host, layout.ports.canaryApp, signal);
    await Promise.all([this.restart(), listening]);
    return hop;
  }
}
