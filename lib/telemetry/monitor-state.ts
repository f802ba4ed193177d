import * as z from "zod";
import { rolloutReport } from "../rollout/rollout-report.js";
import { SIDES, type HostSample, type TrafficWindow } from "./telemetry.js";

const figure = z.number().nullable();
const text = z.string().nullable();

const interval = z.tuple([z.number(), z.number()]).nullable();

/** One side in `GET /api/state`; latencies in ms, null without requests. */
const sideSummary = z.object({
  requests: z.number(),
  errors: z.number(),
  /** Requests that prod turned away because the flag is off: no errors. */
  withoutFeature: z.number().optional(),
  p50Ms: figure,
  p95Ms: figure,
  p99Ms: figure,
  /** Within which each lies with 95 % confidence; null with too few requests. */
  intervals: z
    .object({ p50Ms: interval, p95Ms: interval, p99Ms: interval })
    .optional(),
  windowMs: z.number(),
});

/** One instance, by the proxies' attempts. */
const instanceSummary = sideSummary.extend({
  target: z.enum(SIDES),
  /** `10.0.0.13:3002` */
  instance: z.string(),
});

/** One route of the verdict. */
export const routeVerdict = z.object({
  route: z.string(),
  /** Null when it is compared. */
  because: z.string().nullable(),
  /** By latency and without the guard; 0 when it is not compared. */
  evidence: z.number(),
  canaryRequests: z.number(),
  prodRequests: z.number(),
  canaryP50Ms: figure,
  prodP50Ms: figure,
  canaryP95Ms: figure,
  prodP95Ms: figure,
});
export type RouteVerdict = z.infer<typeof routeVerdict>;

/** Prod's hosts compared with each other by the verdict's test, over the last day. */
const placeboReport = z.object({
  prodHosts: z.number(),
  comparisons: z.number(),
  /** Comparisons that would have stopped a release. */
  stopped: z.number(),
  hosts: z.array(
    z.object({
      host: z.string(),
      comparisons: z.number(),
      stopped: z.number(),
      /** How it differed when it was last found to. */
      because: text,
    }),
  ),
});
export type PlaceboReport = z.infer<typeof placeboReport>;

/** A channel that cannot send now. Its messages wait in the outbox. */
const heldChannel = z.object({
  /** `mail` or `webhook` */
  channel: z.string(),
  error: z.string(),
});

/** The part of the monitor's `GET /api/state` that clients rely on. Times are ISO 8601, UTC. */
export const stateReport = z.object({
  /** By Redis's clock, like every `seenAt`. */
  now: z.string(),
  /** A proxy or agent that has not reported for longer is silent. */
  silenceMs: z.number(),
  flag: z.object({
    name: z.string(),
    value: z.boolean(),
    by: text,
    reason: text,
    at: text,
  }),
  /** Null if no monitor leads. */
  lease: z
    .object({ holder: z.string(), epoch: z.number(), ageMs: z.number() })
    .nullable(),
  /** Why the monitor that answers cannot judge; null if it can. */
  obstacle: text.optional(),
  recovery: z.object({
    mode: z.enum(["auto", "manual"]),
    nextTryAt: text,
    latched: z.boolean(),
    waitsFor: text,
    /** 2 while the same version has its second try, and so on. */
    attempt: z.number().optional(),
  }),
  /** The current or last rollout; null if there was none. Absent in the state of an older monitor. */
  rollout: rolloutReport.nullable().optional(),
  sides: z.object({ prod: sideSummary, canary: sideSummary }),
  /** Both sides before the canary was stopped; null while it is not, or if that is not known. */
  stop: z
    .object({
      /** The flip's event. */
      event: z.string(),
      /** Such as `latency`; null if a person stopped it. */
      rule: text,
      sides: z.object({ prod: sideSummary, canary: sideSummary }),
      instances: z.array(instanceSummary).optional(),
    })
    .nullable()
    .optional(),
  /** Those that got requests within the window; absent from a monitor that is older than its proxies. */
  instances: z.array(instanceSummary).optional(),
  proxies: z.array(
    z.object({
      id: z.string(),
      split: text,
      canaryOpen: z.boolean().nullable(),
      /** Why the canary is closed; null while it is open. */
      because: text,
      seenAt: z.string(),
    }),
  ),
  hosts: z.array(
    z.object({
      id: z.string(),
      target: z.enum(SIDES),
      host: z.string(),
      pid: figure,
      up: z.boolean(),
      version: text,
      startedAt: text,
      cpuRatio: figure,
      rssBytes: figure,
      probeOk: z.boolean(),
      probeMs: z.number(),
      /** When it was last down, unhealthy or silent; null if never, as far as is known. */
      unhealthyAt: text,
      seenAt: z.string(),
    }),
  ),
  /**
   * How many times slower the canary's hosts are with the same version, and what the verdict corrects; null while that is not known.
   */
  hostDifference: z
    .object({ ratio: z.number(), factor: z.number() })
    .nullable()
    .optional(),
  /** The verdict's false stops on prod itself; null while that is not known. */
  placebo: placeboReport.nullable().optional(),
  /** Null if nothing is compared. */
  verdict: z
    .object({
      mode: z.string(),
      odds: z.string(),
      outcome: text,
      because: text,
      evidence: z.number(),
      evidenceToStop: z.number(),
      /** Null while it cannot be estimated. */
      canaryRequestsNeeded: figure,
      minutesNeeded: figure.optional(),
      /** How many times slower a canary is that would be found then. */
      wouldFind: figure.optional(),
      routes: z.array(routeVerdict).optional(),
    })
    .nullable(),
  outbox: z.object({
    /** Number of messages that wait to be sent. */
    pending: z.number(),
    /** The channels that cannot send now. Only the leading monitor knows them. */
    held: z.array(heldChannel),
  }),
});

export type InstanceSummary = z.infer<typeof instanceSummary>;
export type SideSummary = z.infer<typeof sideSummary>;
export type HeldChannel = z.infer<typeof heldChannel>;
export type StateReport = z.infer<typeof stateReport>;

/** Whether this is the state of a monitor, and not the answer of another program. */
export function isStateReport(answer: unknown): answer is StateReport {
  return stateReport.safeParse(answer).success;
}

/** Describes a proxy by its newest window. @param seenAt ms since the epoch, by Redis's clock */
export function toProxyReport(
  id: string,
  window: TrafficWindow,
  seenAt: number,
): StateReport["proxies"][number] {
  return {
    id,
    split: window.split ?? null,
    canaryOpen: window.canaryOpen ?? null,
    because: window.because ?? null,
    seenAt: toIso(seenAt),
  };
}

/** Describes a host by its newest sample. Times are ms since the epoch, by Redis's clock. */
export function toHostReport(
  id: string,
  { probe, ...sample }: HostSample,
  at: { seenAt: number; unhealthyAt: number | null },
): StateReport["hosts"][number] {
  return {
    id,
    ...sample,
    probeOk: probe.ok,
    probeMs: probe.ms,
    unhealthyAt: at.unhealthyAt === null ? null : toIso(at.unhealthyAt),
    seenAt: toIso(at.seenAt),
  };
}

function toIso(ms: number): string {
  return new Date(ms).toISOString();
}
