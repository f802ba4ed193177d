import { describeEvent } from "../../../lib/flag/ledger-event.js";
import {
  formatClock,
  formatSpan,
  formatCount,
  formatFigure,
  formatOdds,
  nameFigure,
} from "../../../lib/wording/units.js";
import { nameRelease } from "../../../lib/wording/release-name.js";
import {
  ANOTHER_VERSION,
  cooldownLeft,
} from "../../../lib/wording/headline.js";
import { toPlain } from "../../../lib/wording/plain-text.js";
import { entryTimeMs } from "../../../lib/redis/stream-entry.js";
import type { Harm } from "../../../lib/telemetry/harm.js";
import { describeHarm } from "../../../lib/wording/harm.js";
import type { LedgerEvent } from "../../../lib/flag/ledger.js";
import type { StateReport } from "../../../lib/telemetry/monitor-state.js";
import { describeDeploy } from "../sources/deploys.js";
import type { VerdictReplay } from "../sources/monitor-client.js";
import type { CanaryTrail } from "./canary-trail.js";
import { EXIT, type CliError } from "../exit-status.js";
import { drawSentence, type Look } from "../output.js";
import { wrap } from "../fit.js";
import { layOutFacts } from "../table.js";

const RULES: Readonly<Record<string, string>> = {
  latency: "the latency threshold",
  verdict: "the verdict: the canary compared with prod, route by route",
  breaker: "a proxy's breaker: the canary failed requests that prod serves",
  recovery: "the automatic retry after a cool-down",
};
/** Data that other lines show. What a verdict counts is less than what users met. */
const SHOWN_ELSEWHERE = new Set([
  ...["flag", "value", "rule", "side", "direct", "operator"],
  ...["nextTryAt", "latched", "verdict"],
  ...["canaryRequests", "prodRequests", "failed"],
]);

/** The facts about a flip. */
export interface Account {
  flagName: string;
  value: boolean;
  flip: LedgerEvent;
  /** The flag's last flip, which may be the same. */
  last: LedgerEvent;
  /** What users met before a stop; undefined if unknown. */
  harm: Harm | undefined;
  /** The last deploy of the flip's release before it, where the ledger has one. */
  deploy: LedgerEvent | undefined;
  trail: CanaryTrail;
  recovery: StateReport["recovery"];
  /** Such as `9 requests/s without the feature`; undefined if there are none, or without the monitor's state. */
  withoutFeature: string | undefined;
  /** Why the monitor's state is missing. */
  without: CliError | undefined;
  lease: StateReport["lease"];
  /** Undefined if the flip was not by verdict; a sentence if the monitor cannot recompute it. */
  verdict: VerdictReplay | string | undefined;
}

type Fact = [name: string, text: string];

/** A flip, explained in lines for a terminal. */
export function renderWhy(account: Account, now: number, look: Look): string[] {
  const { flip, last, flagName, value, trail, verdict } = account;
  const { withoutFeature } = account;
  const at = entryTimeMs(flip.id);
  const facts: Fact[] = [
    ["when", `${formatClock(new Date(at), now)}, ${formatSpan(now - at)} ago`],
    ["who", toPlain(describeWho(account))],
    ...(typeof flip.data.version === "string"
      ? [["release", toPlain(describeRelease(account))] satisfies Fact]
      : []),
    ["rule", toPlain(describeRule(account))],
    ...describeFigures(flip.data).map((figures): Fact => ["figures", figures]),
    ...(verdict === undefined
      ? []
      : [["recomputed", describeReplay(verdict)] satisfies Fact]),
    ...(account.harm === undefined
      ? []
      : [["users met", describeHarm(account.harm)] satisfies Fact]),
    ["last canary request", describeTrail(trail, at, now)],
    ...(last === flip
      ? []
      : [["since", toPlain(describeSince(last, now))] satisfies Fact]),
    ...(value || withoutFeature === undefined
      ? []
      : [["users now", `prod answers ${withoutFeature}`] satisfies Fact]),
    ["next", toPlain(describeNext(account, now))],
    value
      ? ["to stop it", `serin flag off --reason "…"`]
      : ["to resume", `serin flag on --reason "…"`],
  ];
  const changedSince =
    last.data.value === value
      ? []
      : wrap(
          `${flagName} is ${value ? "on" : "off"} nevertheless: it was set directly in Redis, and no monitor has recorded this`,
          look.width,
        );
  // An unreachable monitor needs no notice here, because Redis provides these facts.
  const elsewhere =
    account.without?.status === EXIT.problem
      ? drawSentence("yellow", account.without.message, look)
      : [];
  return [
    ...drawSentence("bold", toPlain(describeEvent(flip)), look),
    ...elsewhere,
    ...changedSince,
    "",
    ...layOutFacts(facts, look.width),
  ];
}

function describeWho({ flip }: Account): string {
  const { operator, source } = flip.data;
  const known = typeof operator === "string" ? operator : source;
  return typeof known === "string" ? `${flip.by} (${known})` : flip.by;
}

function describeRelease({ flip, deploy }: Account): string {
  return deploy === undefined
    ? (nameRelease(String(flip.data.version)) ?? "")
    : describeDeploy(deploy, entryTimeMs(flip.id));
}

function describeRule({ flip }: Account): string {
  const { rule, side, direct } = flip.data;
  if (direct === true) return "none: the flag was set directly in Redis";
  if (typeof rule !== "string") return "none: set on request";
  const known = RULES[rule] ?? rule;
  return rule === "latency" && typeof side === "string"
    ? `${known} of ${side}`
    : known;
}

/** The figures in the event's data, whose names end with their unit. An operator's flip has none. */
function describeFigures(data: Record<string, unknown>): string[] {
  const figures = Object.entries(data).flatMap(([name, figure]) =>
    typeof figure === "number" && !SHOWN_ELSEWHERE.has(name)
      ? [`${nameFigure(name)} ${formatFigure(name, figure)}`]
      : [],
  );
  return figures.length === 0 ? [] : [toPlain(figures.join(", "))];
}

function describeReplay(verdict: NonNullable<Account["verdict"]>): string {
  if (typeof verdict === "string") return `not available: ${verdict}`;
  const { recorded, verdict: recomputed } = verdict;
  const { outcome, evidence, evidenceToStop } = recomputed;
  return toPlain(
    `from the ledger's counts: ${outcome ?? "no outcome"}, evidence ${formatOdds(evidence)} ` +
      `(recorded: ${formatOdds(recorded)}; ${formatOdds(evidenceToStop)} stops)`,
  );
}

function describeTrail(trail: CanaryTrail, at: number, now: number): string {
  const { lastBeforeAt, lastAfterAt, endedAfter, givenAfter } = trail;
  const clock = (ms: number) => formatClock(new Date(ms), now);
  if (lastAfterAt === null)
    return lastBeforeAt === null
      ? "none in the last 20 min"
      : `by ${clock(lastBeforeAt)}, ${((at - lastBeforeAt) / 1000).toFixed(1)} s before the flip; none since`;
  const since =
    givenAfter > 0
      ? `${formatCount(givenAfter)} were sent after the flip`
      : `${formatCount(endedAfter)} ended after the flip, none was sent after it`;
  return `by ${clock(lastAfterAt)}; ${since}`;
}

function describeSince(last: LedgerEvent, now: number): string {
  const at = formatClock(new Date(entryTimeMs(last.id)), now);
  return `${describeEvent(last)} (${at})`;
}

function describeNext(account: Account, now: number): string {
  const { value, recovery, lease } = account;
  if (value)
    return lease === null
      ? "no monitor leads: the canary is not watched"
      : "the canary gets its share, and is stopped if it goes bad";
  if (recovery.latched)
    return "latched after the third breach within an hour, until an operator resumes it";
  if (recovery.nextTryAt === null) return describeWait(account);
  if (lease === null) return "no monitor leads: no automatic retry until then";
  const left = cooldownLeft(recovery, now);
  return left === undefined
    ? `the automatic retry waits for ${recovery.waitsFor ?? "the monitor"}`
    : `automatic retry in ${left}, if the canary's probes stay healthy`;
}

function describeWait({ recovery, last }: Account): string {
  const { rule } = last.data;
  const isVersions = rule === "verdict" || rule === "breaker";
  if (
    recovery.waitsFor === ANOTHER_VERSION ||
    (recovery.waitsFor === null && isVersions)
  )
    return "no automatic retry of this version: another gets requests after the cool-down, if its probes stay healthy";
  return last.by === "monitor"
    ? `no automatic retry: it waits for ${recovery.waitsFor ?? "an operator"}`
    : "no automatic retry: the monitor undoes only its own flips";
}
