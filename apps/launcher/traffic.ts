import { Agent, request } from "node:http";
import { LatencyHistogram } from "../../lib/telemetry/latency-histogram.js";
import { formatMs } from "../../lib/wording/units.js";

const TICK_MS = 50;
const MOST_IN_FLIGHT = 4;
const LONGEST_MS = 10 * 60_000;
const REPORT_INTERVAL_MS = 10_000;
const REQUEST_TIMEOUT_MS = 5000;
const KEYS = 10;

export const TRAFFIC_SUMMARY = `${1000 / TICK_MS} requests/s for ${LONGEST_MS / 60_000} minutes`;

/** The responses since the last report. */
export interface TrafficReport {
  /** Requests by the `x-served-by` of their responses. */
  served: Record<string, number>;
  unanswered: number;
  p95Ms: number | undefined;
}

interface TrafficOptions {
  /** The proxy's origin. */
  url: string;
  onReport: (report: TrafficReport) => void;
  /** Called after the ten minutes. */
  onEnd: () => void;
}

/**
 * A light load of GET /, POST /set and GET /get. It is limited to one request a tick, four requests in flight, and ten
 * minutes.
 */
export class Traffic {
  readonly #options: TrafficOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: MOST_IN_FLIGHT });
  #timers: NodeJS.Timeout[] = [];
  #sent = 0;
  #inFlight = 0;
  #served: Record<string, number> = {};
  #unanswered = 0;
  #latency = new LatencyHistogram();

  constructor(options: TrafficOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timers = [
      setInterval(() => this.#tick(), TICK_MS),
      setInterval(() => this.#reportWindow(), REPORT_INTERVAL_MS),
      setTimeout(() => this.#end(), LONGEST_MS),
    ];
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#agent.destroy();
  }

  #end(): void {
    this.close();
    this.#options.onEnd();
  }

  #tick(): void {
    if (this.#inFlight >= MOST_IN_FLIGHT) return;
    const { method, path, body } = pickRequest(this.#sent++);
    const sentAt = performance.now();
    this.#inFlight += 1;
    const outgoing = request(
      this.#options.url + path,
      { method, agent: this.#agent },
      (response) => {
        this.#latency.record(performance.now() - sentAt);
        const side = String(response.headers["x-served-by"] ?? "nobody");
        this.#served[side] = (this.#served[side] ?? 0) + 1;
        response.on("error", () => outgoing.destroy());
        response.resume();
      },
    );
    outgoing.setTimeout(REQUEST_TIMEOUT_MS, () => outgoing.destroy());
    outgoing.on("error", () => (this.#unanswered += 1));
    outgoing.on("close", () => (this.#inFlight -= 1));
    outgoing.end(body);
  }

  #reportWindow(): void {
    this.#options.onReport({
      served: this.#served,
      unanswered: this.#unanswered,
      p95Ms: this.#latency.quantile(0.95),
    });
    this.#served = {};
    this.#unanswered = 0;
    this.#latency = new LatencyHistogram();
  }
}

/** The nth request of the mix: half of them GET /, a quarter each /set and /get. */
export function pickRequest(n: number): {
  method: string;
  path: string;
  body?: string;
} {
  const key = `traffic-${Math.floor(n / 4) % KEYS}`;
  if (n % 4 === 1)
    return { method: "POST", path: `/set/${key}`, body: `value ${n}` };
  if (n % 4 === 3) return { method: "GET", path: `/get/${key}` };
  return { method: "GET", path: "/" };
}

/** Such as `prod 150, canary 50; p95 4 ms`. */
export function describeTraffic(report: TrafficReport): string {
  const { served, unanswered, p95Ms } = report;
  const sides = Object.entries(served).map(
    ([side, count]) => `${side} ${count}`,
  );
  const failed = unanswered > 0 ? [`no answer ${unanswered}`] : [];
  const figures = [...sides.sort().reverse(), ...failed].join(", ");
  return p95Ms === undefined ? figures : `${figures}; p95 ${formatMs(p95Ms)}`;
}
