import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Ledger, LedgerEvent } from "../flag/ledger.js";
import type { Keys } from "../redis/keys.js";
import { compareIds, entryTimeMs } from "../redis/stream-entry.js";
import { readBackwards } from "../redis/stream-follower.js";
import { LatencyHistogram, upperEdgeMs } from "./latency-histogram.js";
import { parseTelemetry, type TrafficWindow } from "./telemetry.js";

/** A shorter wait is not noticed. */
const UNNOTICED_MS = 100;
/** Of a canary that was open for longer, only the end counts. */
const LOOK_BACK_MS = 300_000;
/** The monitor removes older telemetry. */
const KEPT_MS = 1_200_000;
/** If the telemetry begins later than this, nothing ran before. */
const BEGINS_WITHIN_MS = 10_000;
const POLL_MS = 250;
const MAX_FLIPS = 200;

/** What users met at the canary, from when it was let in until it was stopped. */
export interface Harm {
  /** That the split sent to the canary. */
  requests: number;
  /** Those whose wait could be noticed and was longer than 99 of 100 at prod. */
  waited: number;
  /** Without those that prod answered in the canary's place. */
  failed: number;
  rescued: number;
  prodFailed: number;
  /** Undefined for all the time that the canary was open. */
  inMs?: number | undefined;
}

export interface HarmWindow {
  source: string;
  data: Pick<
    TrafficWindow,
    "target" | "errors" | "latency" | "arms" | "waiting"
  >;
}

/** @param windows newest first */
export function countHarm(windows: readonly HarmWindow[]): Harm {
  const prod = windows.filter(({ data }) => data.target === "prod");
  const canary = windows.filter(({ data }) => data.target === "canary");
  const latency = new LatencyHistogram();
  for (const { data } of prod) latency.merge(data.latency);
  const patienceMs = Math.max(UNNOTICED_MS, latency.quantile(0.99) ?? 0);
  const newest = newestOf(canary);
  const waited = canary
    .flatMap(({ data }) => data.latency)
    .concat(newest.flatMap(({ data }) => data.waiting ?? []))
    .filter(([bucket]) => upperEdgeMs(bucket) > patienceMs)
    .reduce((sum, [, count]) => sum + count, 0);
  const sum = (of: typeof prod, count: (data: HarmWindow["data"]) => number) =>
    of.reduce((total, { data }) => total + count(data), 0);
  const rescued = sum(canary, ({ arms }) => arms.retried);
  return {
    requests: sum(canary, ({ arms }) => arms.chosen),
    waited,
    failed: sum(canary, ({ errors }) => errors) - rescued,
    rescued,
    prodFailed: sum(prod, ({ errors }) => errors),
  };
}

/**
 * Counts the harm before a flip that stopped the canary. Mails, the terminal and `serin why` all take it from here.
 *
 * @param patienceMs how long after the flip it waits for the requests that the canary still has
 * @returns undefined without telemetry of that time @throws when Redis is away, or aborted
 */
export async function readHarm(
  store: { redis: Redis; keys: Keys; ledger: Pick<Ledger, "readEvents"> },
  stop: LedgerEvent,
  {
    patienceMs = 0,
    signal,
  }: { patienceMs?: number; signal?: AbortSignal } = {},
): Promise<Harm | undefined> {
  const stoppedAt = entryTimeMs(stop.id);
  const range = await readRange(store.ledger, stop);
  const giveUpAt = performance.now() + patienceMs;
  for (;;) {
    const { windows, newestAt } = await readWindows(store, range);
    const isPast = newestAt - stoppedAt > patienceMs;
    if (
      isPast ||
      isSettled(windows, stoppedAt) ||
      performance.now() > giveUpAt
    ) {
      const isKnown = windows.some(({ data }) => data.target === "canary");
      if (!isKnown || newestAt - range.since > KEPT_MS) return undefined;
      const oldestAt = windows.at(-1)?.at ?? Infinity;
      const isCut = range.isCut && oldestAt - range.since < BEGINS_WITHIN_MS;
      return { ...countHarm(windows), inMs: isCut ? LOOK_BACK_MS : undefined };
    }
    await sleep(POLL_MS, undefined, signal && { signal });
  }
}

/** From the last resume before a stop, or less, to the next. */
async function readRange(
  ledger: Pick<Ledger, "readEvents">,
  { id, data: { flag } }: LedgerEvent,
) {
  const resumes = await ledger.readEvents({
    ...{ kind: "flip", limit: MAX_FLIPS },
    where: ({ data }) => data.flag === flag && data.value === true,
  });
  const last = resumes.find((resume) => compareIds(resume.id, id) < 0);
  const next = resumes.findLast((resume) => compareIds(resume.id, id) > 0);
  const resumedAt = last === undefined ? 0 : entryTimeMs(last.id);
  const earliest = entryTimeMs(id) - LOOK_BACK_MS;
  return {
    since: Math.max(resumedAt, earliest),
    until: next === undefined ? Infinity : entryTimeMs(next.id),
    isCut: earliest > resumedAt,
  };
}

/** Whether no request waits any more for a canary that was stopped. */
function isSettled(
  windows: readonly (HarmWindow & { at: number })[],
  stoppedAt: number,
): boolean {
  const canary = windows.filter(({ data }) => data.target === "canary");
  return newestOf(canary).every(
    ({ at, data }) => at > stoppedAt && (data.waiting ?? []).length === 0,
  );
}

/** The newest of each source. @param windows newest first */
function newestOf<T extends HarmWindow>(windows: readonly T[]): T[] {
  const bySource = new Map(
    windows.toReversed().map((one) => [one.source, one]),
  );
  return [...bySource.values()];
}

/** Newest first. */
async function readWindows(
  { redis, keys }: { redis: Redis; keys: Keys },
  { since, until }: { since: number; until: number },
) {
  const windows: (HarmWindow & { at: number })[] = [];
  let newestAt = 0;
  const entries = readBackwards(redis, keys.telemetry, String(since + 1));
  for await (const [id, fields] of entries) {
    const at = entryTimeMs(id);
    newestAt = Math.max(newestAt, at);
    if (at > until) continue;
    const telemetry = parseTelemetry(fields);
    if ("problem" in telemetry || telemetry.kind !== "traffic") continue;
    windows.push({ at, source: telemetry.source, data: telemetry.data });
  }
  return { windows, newestAt };
}
