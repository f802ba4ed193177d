import type {
  LatencyHistogram,
  SparseHistogram,
} from "../../../lib/telemetry/latency-histogram.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";
import { compareMs, formatQuantile } from "../../../lib/wording/units.js";
import type { LatencyRule } from "../config.js";

export interface LatencyFigures {
  quantile: number;
  /** The quantile's latency; null without requests. */
  latencyMs: number | null;
  thresholdMs: number;
  windowMs: number;
  /** Answered requests and those counted as waiting. */
  requests: number;
  /** Of these, those that have waited for longer than the threshold. */
  waiting: number;
  /** Of all these requests, as `latencyMs` is. */
  p50Ms: number | null;
  p95Ms: number | null;
  p99Ms: number | null;
}

export interface LatencyJudgement {
  isBreach: boolean;
  figures: LatencyFigures;
}

/**
 * The latency rule: with enough requests, the latency quantile over the window must not exceed the threshold.
 *
 * A request that has waited for longer than the threshold counts with its age so far. Its latency can only grow, so there
 * is no false breach, and a canary that hangs is detected before its first time-out.
 *
 * @param latency answered requests; `waiting` is merged into it
 */
export function judgeLatency(
  latency: LatencyHistogram,
  waiting: SparseHistogram,
  rule: LatencyRule,
): LatencyJudgement {
  latency.merge(waiting);
  const latencyMs = latency.quantile(rule.quantile) ?? null;
  const rounded = (quantile: number) => roundUp(latency.quantile(quantile));
  const isBreach =
    latencyMs !== null &&
    latency.total >= rule.minRequests &&
    latencyMs > rule.thresholdMs;
  return {
    isBreach,
    figures: {
      quantile: rule.quantile,
      latencyMs: rounded(rule.quantile),
      thresholdMs: rule.thresholdMs,
      windowMs: rule.windowMs,
      requests: latency.total,
      waiting: waiting.reduce((sum, [, count]) => sum + count, 0),
      p50Ms: rounded(0.5),
      p95Ms: rounded(0.95),
      p99Ms: rounded(0.99),
    },
  };
}

/** To tenths; up, so that a latency above the threshold stays above it. */
export function roundUp(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.ceil(ms * 10) / 10;
}

/** `canary p95 1,012 ms > 500 ms over 10 s (7 requests, 2 of them still waiting)` */
export function describeLatency(side: Side, figures: LatencyFigures): string {
  const waiting =
    figures.waiting > 0 ? `, ${figures.waiting} of them still waiting` : "";
  return (
    `${side} ${formatQuantile(figures.quantile)} ${compareMs(figures.latencyMs ?? 0, figures.thresholdMs)} ` +
    `over ${figures.windowMs / 1000} s (${figures.requests} requests${waiting})`
  );
}
