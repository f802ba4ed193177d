import type { RecentSum } from "../canary/recent-requests.js";
import type { ProxyConfig } from "../config.js";
import { Front, type FrontContext } from "../front.js";
import { createThreadState } from "../shared-state.js";
import type { TrafficSum } from "../traffic/traffic-sum.js";

type ThreadContext = Omit<FrontContext, "own" | "onWeightEnd"> & {
  recent: RecentSum;
  traffic: TrafficSum;
};

/** Serves clients on this thread, with the interface of a pool of workers. */
export class SingleThread {
  readonly #config: ProxyConfig;
  readonly #context: ThreadContext;
  readonly #front: Front;
  #port = 0;

  constructor(config: ProxyConfig, context: ThreadContext) {
    this.#config = config;
    this.#context = context;
    const own = createThreadState();
    context.recent.add(own.recent);
    const onWeightEnd: FrontContext["onWeightEnd"] = (ended) =>
      context.traffic.add(this, ended);
    this.#front = new Front(config, { ...context, own, onWeightEnd });
  }

  get port(): number {
    return this.#port;
  }

  get isDraining(): boolean {
    return this.#front.isDraining;
  }

  get isListening(): boolean {
    return this.#port !== 0 && !this.isDraining;
  }

  async listen(): Promise<number> {
    const { host, port } = this.#config;
    this.#port = await this.#front.listen({ host, port });
    return this.#port;
  }

  count(): Promise<void> {
    const counted = this.#front.recorder.takeWindow(performance.now());
    this.#context.traffic.add(this, counted);
    return Promise.resolve();
  }

  reload(): Promise<void> {
    this.#context.logger.warn(
      {},
      "nothing to reload: SIGHUP replaces workers, and there are none with WORKERS=1",
    );
    return Promise.resolve();
  }

  close(): Promise<void> {
    return this.#front.close(this.#config.drainMs);
  }
}
