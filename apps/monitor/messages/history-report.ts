import type { Side } from "../../../lib/telemetry/telemetry.js";

/** One side during one step; null where there were no requests to go by. */
export interface SidePoint {
  requestsPerSecond: number;
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

/** What was heard in one step of time; a step in which nothing was heard has no point. */
export interface HistoryPoint {
  /** The step's start, ms since the epoch by Redis's clock, a multiple of the step. */
  at: number;
  /** Of all requests, the share that the canary answered; null without requests. */
  canaryShare: number | null;
  /** Null while no proxy was heard. */
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
  /** Of a flip: what the flag became. */
  value: boolean | null;
  by: string;
  reason: string;
}

/** What `GET /api/history` answers: the last quarter of an hour, oldest first. */
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
