import { SideSum } from "../../../lib/telemetry/side-sum.js";
import type {
  HostSample,
  Side,
  TrafficWindow,
} from "../../../lib/telemetry/telemetry.js";
import type {
  HistoryPoint,
  HostPoint,
  SidePoint,
} from "../messages/history-report.js";

/** The length of a proxy's window that does not state its own. */
const USUAL_WINDOW_MS = 500;

/** The telemetry of one step of the history. */
export class HistoryStep {
  readonly at: number;
  readonly #sides = { prod: new SideStep(), canary: new SideStep() };
  readonly #hosts = new Map<string, HostStep>();

  /** @param at its start, ms since the epoch */
  constructor(at: number) {
    this.at = at;
  }

  addTraffic(source: string, window: TrafficWindow): void {
    this.#sides[window.target].add(source, window);
  }

  addHost(source: string, sample: HostSample): void {
    const step = this.#hosts.get(source) ?? new HostStep();
    step.add(sample);
    this.#hosts.set(source, step);
  }

  toPoint(): HistoryPoint {
    const { prod, canary } = this.#sides;
    const isHeard = prod.isHeard || canary.isHeard;
    const requests = prod.requests + canary.requests;
    const sides: Record<Side, SidePoint> = {
      prod: prod.toPoint(),
      canary: canary.toPoint(),
    };
    return {
      at: this.at,
      canaryShare: requests > 0 ? round(canary.requests / requests) : null,
      sides: isHeard ? sides : null,
      hosts: Object.fromEntries(
        [...this.#hosts].map(([id, step]) => [id, step.toPoint()]),
      ),
    };
  }
}

class SideStep {
  readonly #sum = new SideSum();
  /** By proxy, so that short windows and those across a step's ends keep the rate steady. */
  readonly #proxies = new Map<
    string,
    { requests: number; withoutFeature: number; ms: number }
  >();

  get requests(): number {
    return this.#sum.requests;
  }

  get isHeard(): boolean {
    return this.#proxies.size > 0;
  }

  add(source: string, window: TrafficWindow): void {
    this.#sum.add(window);
    const proxy = this.#proxies.get(source) ?? {
      ...{ requests: 0, withoutFeature: 0, ms: 0 },
    };
    proxy.requests += window.requests;
    proxy.withoutFeature += window.withoutFeature ?? 0;
    proxy.ms += window.windowMs ?? USUAL_WINDOW_MS;
    this.#proxies.set(source, proxy);
  }

  toPoint(): SidePoint {
    const { requests, errors, latency } = this.#sum;
    const quantile = (q: number) => round(latency.quantile(q));
    const rate = (count: "requests" | "withoutFeature") =>
      [...this.#proxies.values()]
        .map((proxy) => (proxy.ms > 0 ? (proxy[count] * 1000) / proxy.ms : 0))
        .reduce((sum, one) => sum + one, 0);
    return {
      requestsPerSecond: round(rate("requests")),
      withoutFeaturePerSecond: round(rate("withoutFeature")),
      errorRatio: requests > 0 ? round(errors / requests) : null,
      p50Ms: quantile(0.5),
      p95Ms: quantile(0.95),
      p99Ms: quantile(0.99),
    };
  }
}

/** The mean of the CPU, and the last value of the memory. */
class HostStep {
  #cpuSum = 0;
  #cpuCount = 0;
  #rssBytes: number | null = null;

  add({ cpuRatio, rssBytes }: HostSample): void {
    this.#rssBytes = rssBytes;
    if (cpuRatio === null) return;
    this.#cpuSum += cpuRatio;
    this.#cpuCount += 1;
  }

  toPoint(): HostPoint {
    const mean = this.#cpuCount > 0 ? this.#cpuSum / this.#cpuCount : undefined;
    return { cpuRatio: round(mean), rssBytes: this.#rssBytes };
  }
}

/** To four digits, to save bytes: further ones are noise. */
function round(value: number): number;
function round(value: number | undefined): number | null;
function round(value: number | undefined): number | null {
  return value === undefined ? null : Number(value.toPrecision(4));
}
