import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Keys } from "../redis/keys.js";
import type { Flip, FlipOutcome, Ledger } from "./ledger.js";
import { readBackwards } from "../redis/stream-follower.js";
import { toRecord } from "../redis/stream-entry.js";
import {
  parseReceipt,
  parseTelemetry,
  type GateReceipt,
} from "../telemetry/telemetry.js";
import { RolloutStore } from "../rollout/rollout-store.js";
import { decide } from "../rollout/transitions.js";
import { toPlain } from "../wording/plain-text.js";
import { formatMs, formatNumber, formatPercent } from "../wording/units.js";

/** A proxy that has written nothing for longer does not read this Redis. */
const ALIVE_MS = 5000;
const WAIT_MS = 2000;
const POLL_MS = 10;

export interface Place {
  redis: Redis;
  keys: Keys;
  flagName: string;
}

/** What the proxies have done after a flip. */
export interface FlipEffect {
  /** How many proxies read this Redis. */
  proxies: number;
  /** Those of them that have not followed in time. */
  silent: string[];
  /** `2 proxies stopped the canary after 3 and 4 ms; no request was in flight` */
  sentence: string;
}

/** One proxy's receipts for a flip. */
interface Heard {
  source: string;
  first: GateReceipt["data"];
  last: GateReceipt["data"];
}

/**
 * Flips the flag, or toggles it, and returns at once. Switching it on retries an aborted rollout. `readEffect` then waits for
 * the receipts of all proxies, for two seconds at most. A flip that changed nothing causes none: it waits for the proxies' next
 * telemetry instead.
 *
 * @throws if Redis is unreachable, as does `readEffect`
 */
export async function flipAndFollow(
  place: Place & { ledger: Ledger },
  value: boolean | "toggle",
  flip: Pick<Flip, "by" | "reason" | "data" | "supersedes">,
): Promise<{
  value: boolean;
  outcome: FlipOutcome;
  readEffect: () => Promise<FlipEffect>;
}> {
  const { ledger, flagName } = place;
  const receipts = await expectReceipts(place);
  const retried = value === false ? undefined : await retry(place, value, flip);
  if (retried !== undefined)
    return {
      value: true,
      outcome: retried,
      readEffect: () => receipts.ofFlip(true, retried === "changed"),
    };
  const isToggle = value === "toggle";
  const wanted = isToggle ? await ledger.toggle(flagName, flip) : value;
  const outcome = isToggle
    ? "changed"
    : await ledger.flip(flagName, { ...flip, value });
  return {
    value: wanted,
    outcome,
    readEffect: () => receipts.ofFlip(wanted, outcome === "changed"),
  };
}

/** An aborted rollout starts again at its first step. Undefined if no rollout is aborted. */
async function retry(
  { redis, keys, flagName }: Place,
  value: true | "toggle",
  flip: Pick<Flip, "by" | "reason" | "data" | "supersedes">,
): Promise<FlipOutcome | undefined> {
  const store = new RolloutStore(redis, keys, flagName);
  const reading = await store.read();
  if (reading.rollout?.phase !== "Aborted") return undefined;
  if (value === "toggle" && reading.flag) return undefined;
  const decision = decide(reading, { verb: "retry" }, reading.now);
  return "refusal" in decision
    ? undefined
    : await store.apply(decision.change, flip);
}

/** Call it before a flip or another weight. The returned functions wait for what the proxies write from then on. */
export async function expectReceipts({
  redis,
  keys,
  flagName,
}: Place): Promise<{
  ofFlip: (value: boolean, hasChanged: boolean) => Promise<FlipEffect>;
  /** @param weight in percent, other than before */
  ofWeight: (weight: number) => Promise<FlipEffect>;
}> {
  const [seconds] = await redis.time();
  const since = Number(seconds) * 1000 - ALIVE_MS;
  const [newest] = await redis.xrevrange(keys.telemetry, "+", "-", "COUNT", 1);
  const proxies = new Set<string>();
  for await (const [, fields] of readBackwards(
    redis,
    keys.telemetry,
    String(since),
  )) {
    const { kind, source } = toRecord(fields);
    if (kind === "traffic" && source !== undefined) proxies.add(source);
  }

  const oldest = newest === undefined ? "-" : `(${newest[0]}`;
  const readNew = () => readBackwards(redis, keys.telemetry, oldest);

  /** The proxies that have written nothing since, or still have an open canary although they should not. */
  const findSilent = async (value: boolean): Promise<string[]> => {
    const silent = new Set(proxies);
    for await (const [, fields] of readNew()) {
      const window = parseTelemetry(fields);
      if ("problem" in window || window.kind !== "traffic") continue;
      if (value || window.data.canaryOpen === false)
        silent.delete(window.source);
    }
    return [...silent];
  };

  const readReceipts = async (
    isMeant: (data: GateReceipt["data"]) => boolean,
  ): Promise<Heard[]> => {
    const heard = new Map<string, Heard>();
    for await (const [, fields] of readNew()) {
      const receipt = parseReceipt(fields);
      if (receipt === undefined || !isMeant(receipt.data)) continue;
      if (!proxies.has(receipt.source)) continue;
      const { source, data } = receipt;
      const last = heard.get(source)?.last ?? data;
      heard.set(source, { source, first: data, last });
    }
    return [...heard.values()];
  };

  const describeAll = (heard: readonly Heard[], facts: readonly string[]) => {
    const known = new Set(heard.map(({ source }) => source));
    const silent = [...proxies].filter((source) => !known.has(source));
    return describeEffect(proxies.size, silent, facts);
  };

  const ofFlip = async (value: boolean, hasChanged: boolean) => {
    if (proxies.size === 0) return describeNobody(value ? "opened" : "stopped");
    if (!hasChanged) {
      const silent = await poll(
        () => findSilent(value),
        (found) => found.length === 0,
      );
      const reading = `${countProxies(proxies.size)} ${proxies.size === 1 ? "reads" : "read"} this flag`;
      return describeEffect(proxies.size, silent, [reading]);
    }
    const flip = (await redis.hget(keys.flagInfo(flagName), "event")) ?? "";
    const heard = await poll(
      () => readReceipts((data) => data.flip === flip),
      (found) => found.length === proxies.size && !found.some(isWaiting),
    );
    return describeAll(heard, describeHeard(value, heard));
  };

  const ofWeight = async (weight: number) => {
    if (proxies.size === 0) return describeNobody("changed");
    const heard = await poll(
      () => readReceipts((data) => data.weight === weight),
      (found) => found.length === proxies.size,
    );
    return describeAll(heard, describeDealing(weight, heard));
  };
  return { ofFlip, ofWeight };
}

function describeNobody(what: string): FlipEffect {
  const sentence = `no proxy reads this Redis: nothing was ${what}`;
  return { proxies: 0, silent: [], sentence };
}

/** Reads until `isDone`, for two seconds at most. @returns what was read last */
async function poll<T>(
  read: () => Promise<T>,
  isDone: (found: T) => boolean,
): Promise<T> {
  const until = performance.now() + WAIT_MS;
  let found = await read();
  while (!isDone(found) && performance.now() < until) {
    await sleep(POLL_MS);
    found = await read();
  }
  return found;
}

function isWaiting({ last }: Heard): boolean {
  return last.inFlight > 0;
}

function describeEffect(
  proxies: number,
  silent: string[],
  facts: readonly string[],
): FlipEffect {
  const missing =
    silent.length === 0
      ? []
      : [`${silent.join(", ")} did not confirm within ${WAIT_MS / 1000} s`];
  const sentence = toPlain([...facts, ...missing].join("; "));
  return { proxies, silent, sentence };
}

function describeHeard(value: boolean, heard: readonly Heard[]): string[] {
  const followed = heard.filter(({ first }) => first.open === value);
  const parts: string[] = [];
  if (followed.length > 0)
    parts.push(
      `${countProxies(followed.length)} ${value ? "opened" : "stopped"} the canary${describeTimes(followed)}`,
    );
  if (!value && followed.length > 0) parts.push(describeInFlight(followed));
  const others = heard.filter(({ first }) => first.open !== value);
  return [...parts, ...others.map(describeClosed)];
}

/** `2 proxies send 10 % to the canary` */
function describeDealing(weight: number, heard: readonly Heard[]): string[] {
  const dealing = heard.filter(({ first }) => first.open);
  const others = heard.filter(({ first }) => !first.open);
  const count = dealing.length;
  const dealt = `${countProxies(count)} ${count === 1 ? "sends" : "send"} ${formatPercent(weight)} to the canary`;
  return [...(count > 0 ? [dealt] : []), ...others.map(describeClosed)];
}

function describeClosed({ source, first }: Heard): string {
  return `${source} keeps it closed: ${first.because ?? "unknown reason"}`;
}

/** ` after 3 and 4 ms` */
function describeTimes(followed: readonly Heard[]): string {
  const times = followed
    .flatMap(({ first }) => first.afterMs ?? [])
    .sort((a, b) => a - b)
    .map(formatNumber);
  const shown = [...new Set(times)];
  if (shown.length === 0) return "";
  const span =
    shown.length > 3
      ? `${shown[0]} to ${shown.at(-1)}`
      : shown.join(", ").replace(/, (?=[^,]*$)/, " and ");
  return ` after ${span} ms`;
}

function describeInFlight(followed: readonly Heard[]): string {
  const inFlight = followed.reduce((sum, { first }) => sum + first.inFlight, 0);
  if (inFlight === 0) return "no request was in flight";
  const were = `${inFlight} ${inFlight === 1 ? "request was" : "requests were"} in flight`;
  const left = followed.filter(isWaiting).length;
  if (left > 0) return `${were}, and not all have ended`;
  const endedMs = Math.max(
    ...followed.map(({ last }) => last.lastCanaryEndedMs ?? 0),
  );
  const ended =
    endedMs < 100 ? formatMs(endedMs) : `${(endedMs / 1000).toFixed(1)} s`;
  return `${were}, the last ended after ${ended}`;
}

function countProxies(count: number): string {
  return `${count} ${count === 1 ? "proxy" : "proxies"}`;
}
