import * as z from "zod";
import { SIDES } from "../../../lib/telemetry/telemetry.js";

const figure = z.number().nullable();

/** One side during one step; null without requests. */
const sidePoint = z.object({
  requestsPerSecond: z.number(),
  /** Those that prod turned away because the flag was off. They are no errors. */
  withoutFeaturePerSecond: z.number(),
  errorRatio: figure,
  p50Ms: figure,
  p95Ms: figure,
  p99Ms: figure,
});
export type SidePoint = z.infer<typeof sidePoint>;

const hostPoint = z.object({
  /** 1 is one core fully used. */
  cpuRatio: figure,
  rssBytes: figure,
});
export type HostPoint = z.infer<typeof hostPoint>;

/** The telemetry of one step. A step without telemetry has no point. */
const historyPoint = z.object({
  /** The step's start, ms since the epoch by Redis's clock, a multiple of the step. */
  at: z.number(),
  /** The canary's share of all requests; null without requests. */
  canaryShare: figure,
  /** Null without telemetry of a proxy. */
  sides: z.object({ prod: sidePoint, canary: sidePoint }).nullable(),
  /** By the agent's id. */
  hosts: z.record(z.string(), hostPoint),
});
export type HistoryPoint = z.infer<typeof historyPoint>;

const historyHost = z.object({
  id: z.string(),
  target: z.enum(SIDES),
  host: z.string(),
});
export type HistoryHost = z.infer<typeof historyHost>;

/** A flip or a deploy, for the charts. */
const historyMark = z.object({
  /** The event's id in the ledger. */
  id: z.string(),
  /** ms since the epoch by Redis's clock. */
  at: z.number(),
  kind: z.enum(["flip", "deploy"]),
  /** The new value of a flip. */
  value: z.boolean().nullable(),
  by: z.string(),
  reason: z.string(),
});
export type HistoryMark = z.infer<typeof historyMark>;

/** The answer of `GET /api/history`: the last 15 minutes, oldest first. */
export const historyReport = z.object({
  /** Redis's clock, ms since the epoch. */
  now: z.number(),
  stepMs: z.number(),
  spanMs: z.number(),
  points: z.array(historyPoint),
  hosts: z.array(historyHost),
  marks: z.array(historyMark),
  rules: z.object({
    latency: z.object({ thresholdMs: z.number(), quantile: z.number() }),
    cpu: z.object({ threshold: z.number() }),
  }),
});
export type HistoryReport = z.infer<typeof historyReport>;
