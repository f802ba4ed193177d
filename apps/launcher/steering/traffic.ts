import { Agent, request, type IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { FLAG_HEADER, saysOff } from "../../../lib/flag/flag-value.js";
import { LatencyHistogram } from "../../../lib/telemetry/latency-histogram.js";
import { formatMs } from "../../../lib/wording/units.js";
import { LaunchError } from "../config.js";

const TICK_MS = 50;
/** A canary that hangs must not keep the others from being sent. */
const MOST_IN_FLIGHT = 32;
const LONGEST_MS = 10 * 60_000;
/** A request that hangs must not hold up what a person does. */
const DRAIN_MS = 1000;
const REPORT_INTERVAL_MS = 10_000;
const REQUEST_TIMEOUT_MS = 5000;

const PACE = `${1000 / TICK_MS} requests/s for ${LONGEST_MS / 60_000} minutes`;

/** The responses since the last report. */
export interface TrafficReport {
  /** Requests by the `x-served-by` of their responses. */
  served: Record<string, number>;
  unanswered: number;
  /** Of the served ones, those with a 5xx, but not `withoutFeature`. */
  failed: number;
  /** Of the served ones, those that were turned away because the flag is off. */
  withoutFeature: number;
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
  reportIntervalMs?: number;
  onStart: () => void;
  /** Called after the ten minutes. */
  onEnd: () => void;
}

/** A light load. It is limited to one request a tick, 32 requests in flight, and ten minutes. */
export class Traffic {
  readonly #options: TrafficOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: MOST_IN_FLIGHT });
  #timers: NodeJS.Timeout[] = [];
  #isPaused = false;
  #sent = 0;
  #inFlight = 0;
  #served: Record<string, number> = {};
  #unanswered = 0;
  #failed = 0;
  #withoutFeature = 0;
  #latency = new LatencyHistogram();

  constructor(options: TrafficOptions) {
    this.#options = options;
  }

  /** Also ends a pause. */
  start(): void {
    this.resume();
    if (this.#timers.length > 0) return;
    this.#options.onStart();
    this.#timers = [
      setInterval(() => this.#tick(), TICK_MS),
      setInterval(
        () => this.#reportWindow(),
        this.#options.reportIntervalMs ?? REPORT_INTERVAL_MS,
      ),
      setTimeout(() => this.#end(), LONGEST_MS),
    ];
  }

  /** Resolves when the last requests are answered, or after a second. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    const giveUpAt = performance.now() + DRAIN_MS;
    while (this.#inFlight > 0 && performance.now() < giveUpAt)
      await sleep(TICK_MS);
  }

  resume(): void {
    this.#isPaused = false;
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
    this.#agent.destroy();
  }

  #end(): void {
    this.close();
    this.#options.onEnd();
  }

  #tick(): void {
    if (this.#isPaused || this.#inFlight >= MOST_IN_FLIGHT) return;
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
        if (isTurnedAway(response)) this.#withoutFeature += 1;
        else if ((response.statusCode ?? 0) >= 500) this.#failed += 1;
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
      failed: this.#failed,
      withoutFeature: this.#withoutFeature,
      p95Ms: this.#latency.quantile(0.95),
    });
    this.#served = {};
    this.#unanswered = 0;
    this.#failed = 0;
    this.#withoutFeature = 0;
    this.#latency = new LatencyHistogram();
  }
}

/** The flag is off, which is no failure of prod. */
function isTurnedAway({ statusCode, headers }: IncomingMessage): boolean {
  return statusCode === 503 && saysOff(String(headers[FLAG_HEADER] ?? ""));
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

/** Such as `prod 150, canary 50; 3 failed; 40 without the feature; p95 4 ms`. */
export function describeTraffic(report: TrafficReport): string {
  const { served, unanswered, failed, withoutFeature, p95Ms } = report;
  const sides = Object.entries(served).map(
    ([side, count]) => `${side} ${count}`,
  );
  const silent = unanswered > 0 ? [`no answer ${unanswered}`] : [];
  return [
    [...sides.sort().reverse(), ...silent].join(", "),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(withoutFeature > 0 ? [`${withoutFeature} without the feature`] : []),
    ...(p95Ms === undefined ? [] : [`p95 ${formatMs(p95Ms)}`]),
  ].join("; ");
}
