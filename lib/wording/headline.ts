import type {
  HeldChannel,
  SideSummary,
  StateReport,
} from "../telemetry/monitor-state.js";
import { isSilent } from "../telemetry/silence.js";
import { readShare } from "../telemetry/split-ratio.js";
import {
  describeHold,
  describeRollout,
  isUnderWay,
} from "./rollout-headline.js";
import {
  describeTry,
  formatClock,
  formatCountdown,
  formatNumber,
  formatSpan,
} from "./units.js";

/** `good`: the canary gets its share and is healthy. `stopped`: the flag is off. `warning`: everything else. */
export type Tone = "good" | "stopped" | "warning";

export interface Headline {
  tone: Tone;
  text: string;
}

/** What a recovery waits for after a stop by the verdict or a breaker. */
export const COOL_DOWN = "the cool-down";
export const ANOTHER_VERSION = "another version, or a person";
const SEPARATOR = " · ";
/** The window and the counts in a latency rule's reason, which are too long for a headline. */
const FIGURES_BEHIND = / over [\d.]+ s \([^)]*\)$/;

/**
 * The canary's state in one sentence, with the reason if it is closed: `Canary takes 25 % of traffic · healthy for 12 min`.
 *
 * @param now ms since the epoch, for durations and countdowns
 */
export function describeHeadline(state: StateReport, now: number): Headline {
  if (!state.flag.value)
    return { tone: "stopped", text: describeStop(state, now) };
  if (state.lease === null && state.obstacle)
    return { tone: "warning", text: `No monitor leads: ${state.obstacle}` };
  const isQuiet = (member: { seenAt: string }) =>
    isSilent(member, state.silenceMs, now);
  const heard = state.proxies.filter((proxy) => !isQuiet(proxy));
  if (heard.length === 0)
    return {
      tone: "warning",
      text: "Canary is allowed, but no proxy reports",
    };
  const closed = heard.filter(({ canaryOpen }) => canaryOpen === false);
  if (closed.length === heard.length)
    return { tone: "warning", text: describeWithheld(state, closed) };
  const { rollout } = state;
  const intake = isUnderWay(rollout)
    ? describeRollout(rollout, now)
    : `Canary takes ${describeShare(heard)} of traffic`;
  const silent = [...state.proxies, ...state.hosts].filter(isQuiet);
  const hold = isUnderWay(rollout) ? describeHold(rollout) : undefined;
  const concern = findConcern(state, { now, heard, closed, silent }) ?? hold;
  return concern === undefined
    ? { tone: "good", text: intake + SEPARATOR + describeHealth(state, now) }
    : { tone: "warning", text: intake + SEPARATOR + concern };
}

function describeStop(state: StateReport, now: number): string {
  const { flag } = state;
  const at = flag.at === null ? "" : ` ${formatClock(new Date(flag.at), now)}`;
  const by = flag.by === null || flag.by === "monitor" ? "" : ` by ${flag.by}`;
  const reason = flag.reason
    ?.replace(/^canary /, "")
    .replace(FIGURES_BEHIND, "");
  const why = reason === undefined ? "" : `: ${reason}`;
  return `Canary stopped${at}${by}${why}${SEPARATOR}${describeRetry(state, now)}`;
}

function describeRetry(state: StateReport, now: number): string {
  const { recovery, lease, rollout } = state;
  if (rollout?.phase === "Aborted")
    return `rollout ${rollout.id} is aborted until a person retries it`;
  if (recovery.latched) return "latched until a person resumes it";
  if (recovery.nextTryAt === null && recovery.waitsFor === ANOTHER_VERSION)
    return "stays off until another version comes or a person resumes it";
  if (recovery.nextTryAt === null) return "stays off until a person resumes it";
  if (lease === null) return "no retry while no monitor leads";
  const left = cooldownLeft(recovery, now);
  return left === undefined
    ? `automatic retry waits for ${recovery.waitsFor ?? "the monitor"}`
    : `automatic retry in ${left}`;
}

/** `0:55` until the automatic retry; undefined while that waits for something other than the cool-down. */
export function cooldownLeft(
  { nextTryAt, waitsFor }: StateReport["recovery"],
  now: number,
): string | undefined {
  const leftMs = Date.parse(nextTryAt ?? "") - now;
  const isCoolingDown = waitsFor === null || waitsFor === COOL_DOWN;
  return leftMs > 0 && isCoolingDown ? formatCountdown(leftMs) : undefined;
}

function describeWithheld(
  state: StateReport,
  closed: StateReport["proxies"],
): string {
  if (state.lease === null) return "No monitor leads: canary withheld";
  const reasons = new Set(
    closed.map(({ because }) => because ?? "unknown reason"),
  );
  return `Canary withheld: ${[...reasons].join("; ")}`;
}

/** `25 %`, or `10–25 %` if proxies differ. */
function describeShare(proxies: StateReport["proxies"]): string {
  const shares = proxies
    .filter(({ canaryOpen }) => canaryOpen !== false)
    .map(({ split }) => readShare(split))
    .filter((share) => share !== undefined);
  if (shares.length === 0) return "an unknown share";
  const least = formatNumber(100 * Math.min(...shares));
  const most = formatNumber(100 * Math.max(...shares));
  return least === most ? `${least} %` : `${least}–${most} %`;
}

function findConcern(
  { flag, lease, recovery, hosts, verdict }: StateReport,
  members: {
    now: number;
    heard: StateReport["proxies"];
    /** A part of `heard`. */
    closed: StateReport["proxies"];
    silent: readonly { id: string }[];
  },
): string | undefined {
  const { now, heard, closed, silent } = members;
  if (lease === null) return "no monitor leads: it is not watched";
  const unwell = findUnwell(hosts);
  if (unwell !== undefined) return unwell;
  if (silent.length > 0)
    return `${silent.map(({ id }) => id).join(", ")} ${silent.length > 1 ? "are" : "is"} silent`;
  if (verdict?.outcome === "worse")
    return `worse than prod, ${verdict.odds} (only observed)`;
  if (verdict?.outcome === "split broken")
    return "the split deviates from its ratio: no verdict";
  if (recovery.attempt !== undefined && recovery.attempt > 1)
    return `${describeTry(recovery.attempt)} after a stop, for ${formatSpan(now - Date.parse(flag.at ?? ""))}`;
  if (closed.length > 0)
    return `withheld by ${closed.length} of ${heard.length} proxies: ${closed[0]?.because ?? "unknown reason"}`;
  return undefined;
}

/** The canary's apps first, then those that are gone. */
function findUnwell(hosts: StateReport["hosts"]): string | undefined {
  const [worst, ...others] = hosts
    .filter(({ up, probeOk }) => !up || !probeOk)
    .toSorted(
      (a, b) =>
        Number(b.target === "canary") - Number(a.target === "canary") ||
        Number(a.up) - Number(b.up),
    );
  if (worst === undefined) return undefined;
  const app = worst.target === "canary" ? "its app" : "prod's app";
  const what = worst.up ? "fails its health probe" : "is gone";
  const more =
    others.length === 0
      ? ""
      : `, and ${others.length} more app${others.length > 1 ? "s are" : " is"} unwell`;
  return `${app} on ${worst.host} ${what}${more}`;
}

/** Healthy since the last flip, start or failure. */
function describeHealth(
  { flag, sides, hosts }: StateReport,
  now: number,
): string {
  if (sides.canary.requests + sides.prod.requests === 0)
    return "no requests just now";
  const since = hosts
    .filter(({ target }) => target === "canary")
    .flatMap(({ startedAt, unhealthyAt }) => [startedAt, unhealthyAt])
    .concat(flag.at)
    .filter((at) => at !== null)
    .map((at) => Date.parse(at));
  return since.length === 0
    ? "healthy"
    : `healthy for ${formatSpan(now - Math.max(...since))}`;
}

/** What users miss while the canary is stopped, for behind the headline: a list of one sentence or none. */
export function listMissing({ flag, sides }: StateReport): string[] {
  const missing = describeWithoutFeature(sides.prod);
  return flag.value || missing === undefined ? [] : [`prod answers ${missing}`];
}

/** `9 requests/s without the feature`, which prod turns away because the flag is off; undefined if there are none. */
export function describeWithoutFeature({
  withoutFeature = 0,
  windowMs,
}: SideSummary): string | undefined {
  if (withoutFeature === 0) return undefined;
  const perSecond = formatNumber((withoutFeature * 1000) / windowMs);
  return `${perSecond} requests/s without the feature`;
}

/** `mail cannot be sent: connect ECONNREFUSED 10.0.0.5:25` */
export function describeHeld({ channel, error }: HeldChannel): string {
  return `${channel} cannot be sent: ${error}`;
}
