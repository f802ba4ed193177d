import { Agent, request } from "node:http";
import { LatencyHistogram } from "../../lib/telemetry/latency-histogram.js";
import { formatMs } from "../../lib/wording/units.js";
import { LaunchError } from "./config.js";

const TICK_MS = 50;
const MOST_IN_FLIGHT = 4;
const LONGEST_MS = 10 * 60_000;
const REPORT_INTERVAL_MS = 10_000;
const REQUEST_TIMEOUT_MS = 5000;

const PACE = `${1000 / TICK_MS} requests/s for ${LONGEST_MS / 60_000} minutes`;

/** The responses since the last report. */
export interface TrafficReport {
  /** Requests by the `x-served-by` of their responses. */
  served: Record<string, number>;
  unanswered: number;
  p95Ms: number | undefined;
}

export interface TrafficRequest {
  method: string;
  /** With its query. */
  path: string;
}

interface TrafficOptions {
  /** The proxy's origin. */
  url: string;
  /** Sent in turns. */
  requests: readonly TrafficRequest[];
  onReport: (report: TrafficReport) => void;
  /** Called after the ten minutes. */
  onEnd: () => void;
}

/** A light load. It is limited to one request a tick, four requests in flight, and ten minutes. */
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
    const { requests } = this.#options;
    const next = requests[this.#sent++ % requests.length];
    if (next === undefined) return;
    const { method, path } = next;
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
    outgoing.end(method === "GET" ? undefined : `value ${this.#sent}`);
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

/** Parses `GET /, POST /set/a`. @throws LaunchError for anything else */
export function parseRequests(text: string): TrafficRequest[] {
  return text.split(",").map((part) => {
    const [, method, path] = /^([A-Z]+) (\/\S*)$/.exec(part.trim()) ?? [];
    if (method !== undefined && path !== undefined) return { method, path };
    throw new LaunchError(
      `--requests has ${JSON.stringify(part.trim())}: give methods and paths, such as "GET /, POST /set/a"`,
    );
  });
}

/** Such as `20 requests/s for 10 minutes: GET /, GET /healthz`. */
export function summarizeRequests(requests: readonly TrafficRequest[]): string {
  const all = requests.map(({ method, path }) => `${method} ${path}`);
  return `${PACE}: ${[...new Set(all)].join(", ")}`;
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
