import { Agent, request } from "node:http";
import { LatencyHistogram } from "../../lib/telemetry/latency-histogram.js";

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

/**
 * A light load of GET /, POST /set and GET /get. It is limited to one request a tick, four requests in flight, and ten
 * minutes.
 */
export class Traffic {
  readonly #url: string;
  readonly #onReport: (report: TrafficReport) => void;
  readonly #onEnd: () => void;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: MOST_IN_FLIGHT });
  #timers: NodeJS.Timeout[] = [];
  #sent = 0;
  #inFlight = 0;
  #served: Record<string, number> = {};
  #unanswered = 0;
  #latency = new LatencyHistogram();

  constructor(options: {
    /** The proxy's origin. */
    url: string;
    onReport: (report: TrafficReport) => void;
    /** Called after the ten minutes. */
    onEnd: () => void;
  }) {
    this.#url = options.url;
    this.#onReport = options.onReport;
    this.#onEnd = options.onEnd;
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
    this.#onEnd();
  }

  #tick(): void {
    if (this.#inFlight >= MOST_IN_FLIGHT) return;
    const { method, path, body } = pickRequest(this.#sent++);
    const sentAt = performance.now();
    this.#inFlight += 1;
    const outgoing = request(
      this.#url + path,
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
    this.#onReport({
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

/** Such as `prod 150, canary 50; p95 4.0 ms`. */
export function describeTraffic(report: TrafficReport): string {
  const sides = Object.entries(report.served).map(
    ([side, count]) => `${side} ${count}`,
  );
  const unanswered =
    report.unanswered > 0 ? [`no answer ${report.unanswered}`] : [];
  const figures = [...sides.sort().reverse(), ...unanswered].join(", ");
  const p95Ms = report.p95Ms;
  return p95Ms === undefined
    ? figures
    : `${figures}; p95 ${p95Ms.toFixed(p95Ms < 10 ? 1 : 0)} ms`;
}
