import type { HeldChannel } from "./held-channel.js";

/** One side in `GET /api/state`; latencies in ms, null without requests. */
export interface SideSummary {
  requests: number;
  errors: number;
  p50Ms: number | null;
  p95Ms: number | null;
  p99Ms: number | null;
  windowMs: number;
}

/** What readers of the monitor's `GET /api/state` rely on; it answers more. Times are ISO 8601, UTC. */
export interface StateReport {
  /** By Redis's clock, as all times of what was heard. */
  now: string;
  /** Whoever was not heard for longer is silent. */
  silenceMs: number;
  flag: {
    name: string;
    value: boolean;
    by: string | null;
    reason: string | null;
    at: string | null;
  };
  /** Null when no monitor leads. */
  lease: { holder: string; epoch: number; ageMs: number } | null;
  recovery: {
    mode: "auto" | "manual";
    nextTryAt: string | null;
    latched: boolean;
    waitsFor: string | null;
  };
  sides: { prod: SideSummary; canary: SideSummary };
  proxies: {
    id: string;
    split: string | null;
    canaryOpen: boolean | null;
    /** What holds the canary back; null when nothing does. */
    because: string | null;
    seenAt: string;
  }[];
  hosts: {
    id: string;
    target: "prod" | "canary";
    host: string;
    pid: number | null;
    up: boolean;
    version: string | null;
    startedAt: string | null;
    cpuRatio: number | null;
    rssBytes: number | null;
    probeOk: boolean;
    probeMs: number;
    /** When it was last gone, unwell or not heard; null when never, as far as is known. */
    unhealthyAt: string | null;
    seenAt: string;
  }[];
  /** Null where nothing is compared. */
  verdict: {
    mode: string;
    odds: string;
    outcome: string | null;
    because: string | null;
    evidence: number;
    evidenceToStop: number;
    /** Null while nothing tells. */
    canaryRequestsNeeded: number | null;
  } | null;
  outbox: {
    /** Events that people are still to be told of. */
    pending: number;
    /** The channels that cannot send now; only the leading monitor knows. */
    held: HeldChannel[];
  };
}
