import { LatencyHistogram } from "./latency-histogram.js";
import type { SideSummary } from "./monitor-state.js";
import type { TrafficWindow } from "./telemetry.js";

/** The sum of windows of one side. */
export class SideSum {
  requests = 0;
  errors = 0;
  withoutFeature = 0;
  readonly latency = new LatencyHistogram();

  add({
    requests,
    errors,
    withoutFeature = 0,
    latency,
  }: Pick<
    TrafficWindow,
    "requests" | "errors" | "withoutFeature" | "latency"
  >): void {
    this.requests += requests;
    this.errors += errors;
    this.withoutFeature += withoutFeature;
    this.latency.merge(latency);
  }

  /** @param windowMs the time that the windows cover */
  summarise(windowMs: number): SideSummary {
    const { requests, errors, withoutFeature, latency } = this;
    const round = (ms: number) => Math.round(ms * 100) / 100;
    const quantile = (q: number) => {
      const ms = latency.quantile(q);
      return ms === undefined ? null : round(ms);
    };
    const interval = (q: number): [number, number] | null => {
      const [from, to] = latency.interval(q) ?? [];
      return from === undefined || to === undefined
        ? null
        : [round(from), round(to)];
    };
    return {
      requests,
      errors,
      withoutFeature,
      p50Ms: quantile(0.5),
      p95Ms: quantile(0.95),
      p99Ms: quantile(0.99),
      intervals: {
        p50Ms: interval(0.5),
        p95Ms: interval(0.95),
        p99Ms: interval(0.99),
      },
      windowMs,
    };
  }
}
