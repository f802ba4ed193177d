import { LatencyHistogram } from "./latency-histogram.js";
import type { SideSummary } from "./monitor-state.js";
import type { TrafficWindow } from "./telemetry.js";

/** The sum of windows of one side. */
export class SideSum {
  requests = 0;
  errors = 0;
  readonly latency = new LatencyHistogram();

  add({
    requests,
    errors,
    latency,
  }: Pick<TrafficWindow, "requests" | "errors" | "latency">): void {
    this.requests += requests;
    this.errors += errors;
    this.latency.merge(latency);
  }

  /** @param windowMs the time that the windows cover */
  summarise(windowMs: number): SideSummary {
    const { requests, errors, latency } = this;
    const quantile = (q: number) => {
      const ms = latency.quantile(q);
      return ms === undefined ? null : Math.round(ms * 100) / 100;
    };
    return {
      requests,
      errors,
      p50Ms: quantile(0.5),
      p95Ms: quantile(0.95),
      p99Ms: quantile(0.99),
      windowMs,
    };
  }
}
