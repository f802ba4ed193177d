import type { Side } from "../../../lib/telemetry/telemetry.js";

/** One side during one step; null without requests. */
export interface SidePoint {
  requestsPerSecond: number;
  /** Those that prod turned away because the flag was off. They are no errors. */
  withoutFeaturePerSecond: number;
  errorRatio: number | null;
  p50Ms: number | null;
  p95Ms: number | null;
  p99Ms: number | null;
}

export interface HostPoint {
  /** 1 is one core fully used. */
  cpuRatio: number | null;
  rssBytes: number | null;
}

/** The telemetry of one step. A step without telemetry has no point. */
export interface HistoryPoint {
  /** The step's start, ms since the epoch by Redis's clock, a multiple of the step. */
  at: number;
  /** The canary's share of all requests; null without requests. */
  canaryShare: number | null;
  /** Null without telemetry of a proxy. */
  sides: Record<Side, SidePoint> | null;
  /** By the agent's id. */
  hosts: Record<string, HostPoint>;
}

export interface HistoryHost {
  id: string;
  target: Side;
  host: string;
}

/** A flip or a deploy, for the charts. */
export interface HistoryMark {
  /** The event's id in the ledger. */
  id: string;
  /** ms since the epoch by Redis's clock. */
  at: number;
  kind: "flip" | "deploy";
  /** The new value of a flip. */
  value: boolean | null;
  by: string;
  reason: string;
}

/** The answer of `GET /api/history`: the last 15 minutes, oldest first. */
export interface HistoryReport {
  /** Redis's clock, ms since the epoch. */
  now: number;
  stepMs: number;
  spanMs: number;
  points: HistoryPoint[];
  hosts: HistoryHost[];
  marks: HistoryMark[];
  rules: {
    latency: { thresholdMs: number; quantile: number };
    cpu: { threshold: number };
  };
}
