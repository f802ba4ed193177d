import type { Redis } from "ioredis";
import * as z from "zod";
import type { Keys } from "../redis/keys.js";
import { execAll } from "../redis/redis.js";
import { TOP_BUCKET } from "./latency-histogram.js";
import { parseJson, toRecord } from "../redis/stream-entry.js";

/** A backstop: the leading monitor trims by age. */
const MAX_ENTRIES = 100_000;

export const SIDES = ["prod", "canary"] as const;
/** The side that serves a request, and the release that a host runs. */
export type Side = (typeof SIDES)[number];

const count = z.int().nonnegative();
/** ms since the epoch, as text. */
const time = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number);
const histogram = z.array(z.tuple([z.int().min(0).max(TOP_BUCKET), count]));

const statuses = z.record(z.string().regex(/^\d{3}$/), count);

/** One side's requests on one route (`GET /get`: method and first path segment). */
const routeWindow = z.object({
  requests: count,
  errors: count,
  /** Answered with a status below 400. */
  served: count,
  /** Answers with a status from 400 to 498, by status. */
  refused: statuses.optional(),
  /** Without the requests that prod answered in the canary's place. A time-out counts in the top bucket. */
  latency: histogram,
});
/** One instance's attempts: a request that is tried on two of them counts for each. */
const instanceWindow = z.object({
  requests: count,
  /** Answered 5xx, or not at all. */
  errors: count,
  /** Of the responses, with the connection. */
  latency: histogram,
});
/** The name for the requests that a proxy does not count by route. */
export const OTHER_ROUTES = "other";
const routes = z.record(z.string().min(1).max(64), routeWindow);

const trafficWindow = z.object({
  target: z.enum(SIDES),
  requests: count,
  /** 5xx and failures to answer, but not `withoutFeature`. */
  errors: count,
  /** Answered 503 by prod because the flag is off. */
  withoutFeature: count.optional(),
  status: statuses,
  /**
   * From the end of the request, with its body, to the forwarding of the response's head, or until the client left. Requests that
   * ended before their body have none.
   */
  latency: histogram,
  /** Latencies above 500 ms, which is no edge of the histogram. */
  above500Ms: count.optional(),
  arms: z.object({
    /** Requests that the split assigned to this side. */
    chosen: count,
    /** Those of them that failed here and were sent to prod instead. */
    retried: count,
    /** Requests of the canary that this side answered in its place. */
    rescued: count.optional(),
    /** Requests that asked for this side. They count nowhere else. */
    optedIn: count.optional(),
    /** Chosen ones that were not found on this side, but on the other one. Routes and latencies do not have them. */
    foundElsewhere: count.optional(),
  }),
  /** Ages of the requests that wait for the head of their response at the end of the window. */
  waiting: histogram.optional(),
  /** The same by route. */
  waitingRoutes: z.record(z.string().min(1).max(64), histogram).optional(),
  windowMs: z.number().nonnegative().optional(),
  /**
   * Requests that the split dealt to this side: with sticky clients, each client's first one. Those that prod gets while the canary is
   * closed do not count.
   */
  dealt: count.optional(),
  /** Of the requests that were dealt, or whose clients were, those that ended in this window. */
  routes: routes.optional(),
  /** Requests that prod got because the canary was closed. */
  routesAlone: routes.optional(),
  /** By the host and port of the side's upstreams, those with requests. */
  instances: z.record(z.string().min(1).max(300), instanceWindow).optional(),
  split: z.string().optional(),
  /** The canary's share of the dealt requests in percent. */
  weight: z.number().min(0).max(100).optional(),
  /** In the canary's window: the decks that were completed, the first dealt first. See lib/telemetry/decks.ts. */
  decks: z.array(z.array(z.unknown())).optional(),
  /** The names of the routes in `decks`. */
  deckRoutes: z.array(z.string().min(1).max(64)).optional(),
  /** In prod's window: decks of prod's hosts. Malformed ones are as none. See lib/telemetry/host-decks.ts. */
  hostDecks: z
    .object({
      hosts: count,
      compared: z.string().min(1).max(300).nullable(),
      decks: z.array(z.array(z.unknown())),
      deckRoutes: z.array(z.string().min(1).max(64)),
    })
    .optional()
    .catch(undefined),
  canaryOpen: z.boolean().optional(),
  because: z.string().nullable().optional(),
});

const hostSample = z.object({
  target: z.enum(SIDES),
  host: z.string(),
  /** Null, like the other figures of the process, while the app is not running. */
  pid: z.int().nullable(),
  startedAt: z.string().nullable(),
  up: z.boolean(),
  version: z.string().nullable(),
  /** 1 is one core fully used. */
  cpuRatio: z.number().nonnegative().nullable(),
  rssBytes: z.number().nonnegative().nullable(),
  probe: z.object({
    ok: z.boolean(),
    ms: z.number().nonnegative(),
    status: z.int().nullable(),
  }),
});

export type InstanceWindow = z.infer<typeof instanceWindow>;
export type RouteWindow = z.infer<typeof routeWindow>;
export type TrafficWindow = z.infer<typeof trafficWindow>;
export type HostSample = z.infer<typeof hostSample>;

const origin = { source: z.string().min(1), at: time };
const entry = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("traffic"), ...origin, data: trafficWindow }),
  z.object({ kind: z.literal("host"), ...origin, data: hostSample }),
]);
export type Telemetry = z.infer<typeof entry>;

const receipt = z.object({
  kind: z.literal("gate"),
  ...origin,
  data: z.object({
    open: z.boolean(),
    /** Why the canary is closed; null while it is open. */
    because: z.string().nullable(),
    /** The canary's share in percent from then on. */
    weight: z.number().min(0).max(100).optional(),
    /** The event of the flip that changed the gate; null if something else did, or the flip is in no ledger. */
    flip: z.string().nullable(),
    /** From the flip to the change of the gate; null without a flip. */
    afterMs: z.number().nonnegative().nullable(),
    /** Requests that wait for the canary's response. */
    inFlight: count,
    /** From the change of the gate to the end of the last of them; null before that. */
    lastCanaryEndedMs: z.number().nonnegative().nullable(),
  }),
});
/** What a proxy writes when its gate or its weight changes, for the command or API call that flipped the flag. The monitor ignores it. */
export type GateReceipt = z.infer<typeof receipt>;

/**
 * The start or stop of a program that may not write to the ledger: the leading monitor enters it there. Apps announce nothing,
 * because the code under test knows the app's password.
 */
const notice = z.object({
  kind: z.literal("notice"),
  ...origin,
  data: z.object({
    kind: z.enum(["start", "stop"]),
    by: z.string().max(64),
    reason: z.string().max(500),
    data: z.object({ source: z.string(), version: z.string() }),
  }),
});
export type Notice = z.infer<typeof notice>;

/** Appends entries. @throws if Redis is unreachable; the caller keeps or drops them */
export async function writeTelemetry(
  redis: Redis,
  keys: Keys,
  telemetry: readonly (Telemetry | GateReceipt | Notice)[],
): Promise<void> {
  const pipeline = redis.pipeline();
  for (const { kind, source, at, data } of telemetry) {
    const fields = [
      ...["kind", kind, "source", source],
      ...["at", String(Math.round(at)), "data", JSON.stringify(data)],
    ];
    pipeline.xadd(keys.telemetry, "MAXLEN", "~", MAX_ENTRIES, "*", ...fields);
  }
  await execAll(pipeline);
}

/** An entry that is not a valid window or sample. */
export interface BadTelemetry {
  claimedKind: string | undefined;
  claimedSource: string | undefined;
  /** In one line. */
  problem: string;
}

/** Parses the flat field list of a stream entry. */
export function parseTelemetry(
  fields: readonly string[],
): Telemetry | BadTelemetry {
  const record = toRecord(fields);
  const { kind: claimedKind, source: claimedSource } = record;
  const data = parseJson(record.data);
  if (data === undefined)
    return { claimedKind, claimedSource, problem: "data is not JSON" };
  const parsed = entry.safeParse({ ...record, data });
  if (parsed.success) return parsed.data;
  const lines = z.prettifyError(parsed.error).replace(/[\s✖]+/g, " ");
  const problem = lines.trim().slice(0, 200);
  return { claimedKind, claimedSource, problem };
}

/** Undefined for other entries, and for malformed ones. */
export function parseReceipt(
  fields: readonly string[],
): GateReceipt | undefined {
  const record = toRecord(fields);
  return receipt.safeParse({ ...record, data: parseJson(record.data) }).data;
}

/** Undefined if the entry is no valid notice of its own source. */
export function parseNotice(fields: readonly string[]): Notice | undefined {
  const record = toRecord(fields);
  if (record.kind !== "notice") return undefined;
  const found = notice.safeParse({ ...record, data: parseJson(record.data) });
  return found.data?.data.data.source === record.source
    ? found.data
    : undefined;
}
