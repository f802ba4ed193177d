import type { Redis } from "ioredis";
import { parseFlag } from "../../../lib/flag/flag-watch.js";
import type { Keys } from "../../../lib/redis/keys.js";
import { LatencyHistogram } from "../../../lib/telemetry/latency-histogram.js";
import { leaseAgeMs, readLease } from "../../../lib/flag/lease-reading.js";
import { Ledger, type LedgerEvent } from "../../../lib/flag/ledger.js";
import type {
  SideSummary,
  StateReport,
} from "../../../lib/telemetry/monitor-state.js";
import { DEFAULT_SILENCE_MS } from "../../../lib/telemetry/silence.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";
import { readRedisTime, scanTelemetry, type Heard } from "./telemetry-scan.js";

const SIDE_WINDOW_MS = 10_000;
/** Who said nothing for longer is not shown. */
const HEARD_MS = 60_000;

export interface FlagFacts {
  value: boolean;
  garbled: boolean;
  by: string | null;
  reason: string | null;
  at: string | null;
  /** The last flip's event id. */
  flip: string | null;
}

/** @throws when Redis is away. */
export async function readFlagFacts(
  redis: Redis,
  keys: Keys,
  flagName: string,
): Promise<FlagFacts> {
  const [raw, info] = await Promise.all([
    redis.get(keys.flag(flagName)),
    redis.hgetall(keys.flagInfo(flagName)),
  ]);
  return {
    ...parseFlag(raw),
    by: info.by ?? null,
    reason: info.reason ?? null,
    at: info.at ?? null,
    flip: info.event ?? null,
  };
}

/** @throws when Redis is away. */
export async function readLeaseFacts(
  redis: Redis,
  keys: Keys,
): Promise<StateReport["lease"]> {
  const [raw, ttlMs] = await Promise.all([
    redis.get(keys.lease),
    redis.pttl(keys.lease),
  ]);
  const lease = readLease(raw, 0);
  if (lease === null) return null;
  const { holder, epoch } = lease;
  return { holder, epoch, ageMs: leaseAgeMs(ttlMs) };
}

/** The monitor's report as far as Redis alone tells it: without verdict, over the last ten seconds. @throws when Redis is away. */
export async function readReportFromRedis(
  redis: Redis,
  keys: Keys,
  flagName: string,
): Promise<StateReport> {
  const [flag, lease, pending, now] = await Promise.all([
    readFlagFacts(redis, keys, flagName),
    readLeaseFacts(redis, keys),
    redis.xlen(keys.outbox),
    readRedisTime(redis),
  ]);
  const flip =
    flag.flip === null
      ? undefined
      : await new Ledger(redis, keys).readEvent(flag.flip);
  const heard: Heard[] = [];
  for await (const entry of scanTelemetry(redis, keys, now - HEARD_MS))
    heard.push(entry);
  const recent = heard.filter(({ heardAt }) => now - heardAt <= SIDE_WINDOW_MS);
  const { value, by, reason, at } = flag;
  return {
    now: new Date(now).toISOString(),
    silenceMs: DEFAULT_SILENCE_MS,
    flag: { name: flagName, value, by, reason, at },
    lease,
    recovery: describeRecovery(flip),
    sides: {
      prod: summarise("prod", recent),
      canary: summarise("canary", recent),
    },
    proxies: listProxies(heard),
    hosts: listHosts(heard),
    verdict: null,
    outbox: { pending, held: [] },
  };
}

/** What the monitor meant to do when it flipped; nobody else's flip is ever undone. */
export function describeRecovery(
  flip: Pick<LedgerEvent, "by" | "data"> | undefined,
): StateReport["recovery"] {
  const isOwnStop = flip?.by === "monitor" && flip.data.value === false;
  const latched = isOwnStop && flip.data.latched === true;
  const nextTryAt =
    isOwnStop && !latched && typeof flip.data.nextTryAt === "string"
      ? flip.data.nextTryAt
      : null;
  const mode = isOwnStop && nextTryAt === null && !latched ? "manual" : "auto";
  return { mode, nextTryAt, latched, waitsFor: null };
}

function summarise(side: Side, recent: readonly Heard[]): SideSummary {
  const latency = new LatencyHistogram();
  let requests = 0;
  let errors = 0;
  for (const { kind, data } of recent) {
    if (kind !== "traffic" || data.target !== side) continue;
    requests += data.requests;
    errors += data.errors;
    latency.merge(data.latency);
  }
  const quantile = (q: number) => latency.quantile(q) ?? null;
  return {
    requests,
    errors,
    p50Ms: quantile(0.5),
    p95Ms: quantile(0.95),
    p99Ms: quantile(0.99),
    windowMs: SIDE_WINDOW_MS,
  };
}

/** By the newest entry of each; `heard` is newest first. */
function newestOf<T extends Heard["kind"]>(kind: T, heard: readonly Heard[]) {
  const newest = new Map<string, Extract<Heard, { kind: T }>>();
  for (const entry of heard)
    if (entry.kind === kind && !newest.has(entry.source))
      newest.set(entry.source, entry as Extract<Heard, { kind: T }>);
  return [...newest.values()].sort((a, b) => a.source.localeCompare(b.source));
}

function listProxies(heard: readonly Heard[]): StateReport["proxies"] {
  return newestOf("traffic", heard).map(({ source, data, heardAt }) => ({
    id: source,
    split: data.split ?? null,
    canaryOpen: data.canaryOpen ?? null,
    because: data.because ?? null,
    seenAt: new Date(heardAt).toISOString(),
  }));
}

function listHosts(heard: readonly Heard[]): StateReport["hosts"] {
  return newestOf("host", heard).map(({ source, data, heardAt }) => {
    const { probe, ...sample } = data;
    return {
      id: source,
      ...sample,
      probeOk: probe.ok,
      probeMs: probe.ms,
      unhealthyAt: null,
      seenAt: new Date(heardAt).toISOString(),
    };
  });
}
