import type { LedgerEvent } from "../../../lib/flag/ledger-event.js";
import type {
  HostSample,
  Telemetry,
} from "../../../lib/telemetry/telemetry.js";
import type { MonitorConfig } from "../config.js";
import type {
  HistoryHost,
  HistoryMark,
  HistoryPoint,
  HistoryReport,
} from "../messages/history-report.js";
import { HistoryStep } from "./history-step.js";

const STEP_MS = 5000;
/** As far as a starting monitor reads back, so that its history is whole at once. */
const SPAN_MS = 900_000;
const MAX_MARKS = 200;
/** Enough for a page that gets the newest points once a second. */
const NEWEST = 2;

/**
 * The last 15 minutes in steps of five seconds, for the charts. The span, the hosts and `MAX_MARKS` bound its size.
 * Times in ms by Redis's clock.
 */
export class History {
  readonly #rules: HistoryReport["rules"];
  readonly #points: HistoryPoint[] = [];
  readonly #hosts = new Map<string, HistoryHost & { seenAt: number }>();
  readonly #marks: HistoryMark[] = [];
  #open: HistoryStep | undefined;

  constructor({ latency, cpu }: Pick<MonitorConfig, "latency" | "cpu">) {
    const { thresholdMs, quantile } = latency;
    this.#rules = {
      latency: { thresholdMs, quantile },
      cpu: { threshold: cpu.threshold },
    };
  }

  onTelemetry({ kind, source, data }: Telemetry, atMs: number): void {
    const step = this.#stepAt(atMs);
    if (kind === "traffic") step.addTraffic(source, data);
    else {
      step.addHost(source, data);
      this.#remember(source, data, atMs);
    }
  }

  onEvent(event: LedgerEvent, atMs: number): void {
    const { id, kind, by, reason, data } = event;
    if (kind !== "flip" && kind !== "deploy") return;
    const value = typeof data.value === "boolean" ? data.value : null;
    this.#marks.push({ id, at: atMs, kind, value, by, reason });
    if (this.#marks.length > MAX_MARKS) this.#marks.shift();
  }

  /** The current step and the one before it. */
  newest(): HistoryPoint[] {
    const closed = this.#points.slice(1 - NEWEST);
    return this.#open === undefined
      ? closed
      : [...closed, this.#open.toPoint()];
  }

  report(now: number): HistoryReport {
    const since = now - SPAN_MS;
    const open = this.#open === undefined ? [] : [this.#open.toPoint()];
    return {
      now: Math.round(now),
      stepMs: STEP_MS,
      spanMs: SPAN_MS,
      points: [...this.#points, ...open].filter(({ at }) => at >= since),
      hosts: [...this.#hosts.values()]
        .filter(({ seenAt }) => seenAt >= since)
        .map(({ id, target, host }) => ({ id, target, host })),
      marks: this.#marks.filter(({ at }) => at >= since),
      rules: this.#rules,
    };
  }

  /** Entries arrive in Redis's order, so closed steps stay closed. After a clock was set back, entries join the open step. */
  #stepAt(atMs: number): HistoryStep {
    const at = Math.floor(atMs / STEP_MS) * STEP_MS;
    if (this.#open !== undefined && at <= this.#open.at) return this.#open;
    if (this.#open !== undefined) this.#points.push(this.#open.toPoint());
    while ((this.#points[0]?.at ?? at) < at - SPAN_MS) this.#points.shift();
    return (this.#open = new HistoryStep(at));
  }

  #remember(source: string, { target, host }: HostSample, atMs: number): void {
    this.#hosts.set(source, { id: source, target, host, seenAt: atMs });
    for (const [id, { seenAt }] of this.#hosts)
      if (seenAt < atMs - SPAN_MS) this.#hosts.delete(id);
  }
}
