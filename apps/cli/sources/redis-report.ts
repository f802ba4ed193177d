import { parseFlag } from "../../../lib/flag/flag-value.js";
import { readLease } from "../../../lib/flag/lease-reading.js";
import type { LedgerEvent } from "../../../lib/flag/ledger.js";
import {
  toHostReport,
  toProxyReport,
  type SideSummary,
  type StateReport,
} from "../../../lib/telemetry/monitor-state.js";
import { SideSum } from "../../../lib/telemetry/side-sum.js";
import { DEFAULT_SILENCE_MS } from "../../../lib/telemetry/silence.js";
import type { Side, TrafficWindow } from "../../../lib/telemetry/telemetry.js";
import type { Store } from "./redis-link.js";
import { newestOf, readRedisTime, readTelemetry } from "./telemetry-scan.js";

const SIDE_WINDOW_MS = 10_000;
/** Programs that have been silent for longer are not shown. */
const HEARD_MS = 60_000;

export interface FlagFacts {
  /** False where nobody has ever set it; the value is only assumed then. */
  isSet: boolean;
  value: boolean;
  garbled: boolean;
  by: string | null;
  reason: string | null;
  at: string | null;
  /** The last flip's event id. */
  flip: string | null;
}

export async function readFlagFacts({
  redis,
  keys,
  flagName,
}: Store): Promise<FlagFacts> {
  const [raw, info] = await Promise.all([
    redis.get(keys.flag(flagName)),
    redis.hgetall(keys.flagInfo(flagName)),
  ]);
  return {
    isSet: raw !== null || info.value !== undefined,
    ...parseFlag(raw, info.value !== "false"),
    by: info.by ?? null,
    reason: info.reason ?? null,
    at: info.at ?? null,
    flip: info.event ?? null,
  };
}

export async function readLeaseFacts({
  redis,
  keys,
}: Store): Promise<StateReport["lease"]> {
  const [raw, ttlMs] = await Promise.all([
    redis.get(keys.lease),
    redis.pttl(keys.lease),
  ]);
  return readLease(raw, ttlMs);
}

/** The monitor's report from Redis only: over the last ten seconds, without verdict. */
export async function readReportFromRedis(store: Store): Promise<StateReport> {
  const { redis, keys, ledger, flagName } = store;
  const [flag, lease, pending, now] = await Promise.all([
    readFlagFacts(store),
    readLeaseFacts(store),
    redis.xlen(keys.outbox),
    readRedisTime(redis),
  ]);
  const flip =
    flag.flip === null ? undefined : await ledger.readEvent(flag.flip);
  const heard = await readTelemetry(store, now - HEARD_MS);
  const windows = heard.filter((entry) => entry.kind === "traffic");
  const samples = heard.filter((entry) => entry.kind === "host");
  const recent = windows.filter(
    ({ heardAt }) => now - heardAt <= SIDE_WINDOW_MS,
  );
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
    proxies: newestOf(windows).map(({ source, data, heardAt }) =>
      toProxyReport(source, data, heardAt),
    ),
    hosts: newestOf(samples).map(({ source, data, heardAt }) =>
      toHostReport(source, data, { seenAt: heardAt, unhealthyAt: null }),
    ),
    verdict: null,
    outbox: { pending, held: [] },
  };
}

/** The recovery that the monitor planned with its flip. The monitor never undoes other flips. */
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

function summarise(
  side: Side,
  windows: readonly { data: TrafficWindow }[],
): SideSummary {
  const sum = new SideSum();
  for (const { data } of windows) if (data.target === side) sum.add(data);
  return sum.summarise(SIDE_WINDOW_MS);
}
