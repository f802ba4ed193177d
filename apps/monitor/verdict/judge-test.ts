import type { Baseline } from "./baseline/baseline.js";
import type { ComparedRoute } from "./baseline/compared-route.js";
import { describeRoute, finite } from "./describe-route.js";
import { errorEvidence } from "./evidence/error-evidence.js";
import { FAILED, type NotServed } from "./evidence/not-served.js";
import { BROKEN_SPLIT, checkShare } from "./evidence/share-check.js";
import { weighDecks, type LatencyEvidence } from "./evidence/stall-guard.js";
import { evidenceToStop, totalEvidence } from "./evidence/total.js";
import type { EpochSums } from "./open-epochs.js";
import type { Power } from "./power/power.js";
import { logStake, mixStarts } from "./starts.js";
import type { StoredTest, TestRules } from "./stored-test.js";
import type { Stretch } from "./stretch.js";
import type { Outcome, RouteVerdict, Verdict } from "./verdict.js";

/** The current counts of a test. */
export interface TestCounts {
  attempt: number;
  rules: TestRules;
  /** The routes with requests. */
  seen: readonly string[];
  compared: ReadonlyMap<string, ComparedRoute>;
  whole: Stretch;
  /** The restarts that are still running. */
  restarts: readonly Stretch[];
  restartsBegun: number;
  /** The epochs that are not closed. */
  open: readonly EpochSums[];
  /** Undefined if no deck was counted, or no slow-down can be found. */
  power: Power | undefined;
  warmUp: StoredTest["warmUp"];
  /** The time of the last window. */
  lastAt: number;
  /** The fault in recent input. */
  flaw: string | null;
  isOneSided: boolean;
  /** Whether the outcome was `worse` before. */
  wasWorse: boolean;
}

/** Pure: the same counts give the same verdict, also from the ledger. */
export function judgeTest(
  test: TestCounts,
  options: { alpha: number; baseline: Pick<Baseline, "warmUpOf"> },
): Verdict {
  const { weighed, unguarded, compared, notServed } = weighAll(test);
  const toFind = test.power?.requests ?? Infinity;
  const isNotServed = notServed > Math.max(0, compared);
  const evidence = isNotServed ? notServed : compared;
  const toStop = evidenceToStop(options.alpha, test.attempt);
  // The figures are of the whole test, unless the evidence since a restart stops the canary.
  const told =
    test.wasWorse || evidence >= toStop
      ? findHeaviest(weighed, isNotServed ? "notServed" : "total")
      : weighed[0];
  const { stretch, evidence: parts } = told;
  const canary = stretch.total("canary");
  const prod = stretch.total("prod");
  const routes = test.seen.map((name) =>
    describeRoute(name, stretch.routes.get(name), {
      ...options,
      compared: test.compared,
    }),
  );
  const { outcome, because } = decide(test, {
    evidence,
    isRefusing: notServed >= toStop && weighed[0].evidence.split < BROKEN_SPLIT,
    unguarded,
    split: weighed[0].evidence.split,
    toStop,
    canary: canary.requests,
    prod: prod.requests,
    routes,
    toFind,
  });
  return {
    outcome,
    because,
    evidence: finite(evidence),
    evidenceToStop: toStop,
    latency: {
      raw: finite(parts.latency.raw),
      trimmed: finite(parts.latency.trimmed),
      guarded: finite(parts.latency.guarded),
    },
    errors: finite(parts.errors),
    notServed: findNotServed(told, isNotServed),
    split: finite(parts.split),
    since: stretch.number === 0 ? null : stretch.startedAt,
    canary,
    prod,
    ...describeNeed(test, outcome, toFind),
    routes,
  };
}

interface Weighed {
  stretch: Stretch;
  evidence: Evidence;
}

/** What the canary does not serve, if that is why it is worse; of failures, the route on which they are. */
function findNotServed(
  { stretch, evidence }: Weighed,
  isNotServed: boolean,
): NotServed | null {
  const { worst } = stretch.refusals.weigh();
  const isFailing = evidence.errors > evidence.latency.evidence;
  return isNotServed || (isFailing && worst?.status === FAILED) ? worst : null;
}

interface Evidence {
  latency: LatencyEvidence;
  errors: number;
  total: number;
  notServed: number;
  /** The total of all decks, stalls included. */
  unguarded: number;
  split: number;
}

function weigh(stretch: Stretch, open: TestCounts["open"]): Evidence {
  const { splits } = stretch;
  const latency = weighDecks(stretch.sumWith(open));
  const errors = errorEvidence(
    splits.map(({ share, errors: { canary, prod } }) => ({
      share,
      canaryErrors: canary,
      prodErrors: prod,
    })),
    stretch.total("canary").requests,
  );
  return {
    latency,
    errors,
    total: totalEvidence(latency.evidence, errors),
    notServed: stretch.refusals.weigh().evidence,
    unguarded: totalEvidence(latency.raw, errors),
    split: splits.reduce(
      (sum, { share, dealt }) => sum + checkShare({ share, ...dealt }),
      0,
    ),
  };
}

function weighAll({ whole, restarts, restartsBegun, open }: TestCounts) {
  const weighStretch = (stretch: Stretch): Weighed => ({
    stretch,
    evidence: weigh(stretch, open),
  });
  const weighed: [Weighed, ...Weighed[]] = [
    weighStretch(whole),
    ...restarts.map(weighStretch),
  ];
  const mixed = (part: "total" | "unguarded" | "notServed") =>
    mixStarts(
      weighed.map(({ stretch, evidence }) => ({
        start: stretch.number,
        evidence: evidence[part],
      })),
      restartsBegun,
    );
  return {
    weighed,
    compared: mixed("total"),
    unguarded: mixed("unguarded"),
    // Half of alpha, on top of the whole one for latency and errors.
    notServed: mixed("notServed") - Math.LN2,
  };
}

/** The stretch with the most evidence. */
function findHeaviest(
  weighed: readonly [Weighed, ...Weighed[]],
  part: "total" | "notServed",
): Weighed {
  const weight = ({ stretch, evidence }: Weighed) =>
    logStake(stretch.number) + evidence[part];
  return weighed.reduce((best, next) =>
    weight(next) > weight(best) ? next : best,
  );
}

interface Seen {
  evidence: number;
  /** Judged from the first request: it needs no warm-up. */
  isRefusing: boolean;
  unguarded: number;
  split: number;
  toStop: number;
  canary: number;
  prod: number;
  routes: readonly RouteVerdict[];
  /** The canary's requests in decks that find the slow-down with 90 % power, at its present rate. */
  toFind: number;
}

function decide(
  test: TestCounts,
  seen: Seen,
): { outcome: Outcome | null; because: string | null } {
  const { evidence, isRefusing, split, toStop, canary, prod } = seen;
  const say = (outcome: Outcome | null, because: string | null = null) => ({
    outcome,
    because,
  });
  if (test.wasWorse) return say("worse");
  if (test.flaw !== null) return say(null, test.flaw);
  if (test.isOneSided)
    return say(
      null,
      "nothing to compare: the split sends all requests to one side",
    );
  if (isRefusing) return say("worse");
  if (canary === 0) return say(null, "the canary has had no request yet");
  if (prod === 0) return say(null, "prod has had no request yet");
  if (!Number.isFinite(evidence) || !Number.isFinite(split))
    return say(null, "the evidence is not a number");
  if (split >= BROKEN_SPLIT)
    return say(
      "split broken",
      "requests are not split in the configured ratio",
    );
  if (evidence >= toStop) return say("worse");
  const { until, canaryRequests } = test.warmUp;
  if (until === null)
    return say(
      "warming",
      `warming up: ${canaryRequests} canary requests so far`,
    );
  if (test.compared.size === 0)
    return say(
      "insufficient",
      "no latency can be compared yet: prod has had too few requests",
    );
  const doubt = findDoubt(test, seen);
  return doubt === undefined ? say("healthy") : say("insufficient", doubt);
}

/** Why a canary is not healthy yet, or undefined. */
function findDoubt(
  { whole, power }: TestCounts,
  { unguarded, toStop, routes, toFind }: Seen,
): string | undefined {
  if (power === undefined)
    return whole.canaryInDecks === 0
      ? "no latency has been compared yet"
      : "within the tolerance, no slow-down up to 5 × can be found";
  if (whole.canaryInDecks < toFind)
    return `a canary ${power.slowdown} × slower would not have been found yet`;
  if (unguarded >= toStop)
    return "it looks worse, but a stall is not ruled out";
  const slow = routes.find(({ evidence }) => evidence >= toStop);
  return slow && `${slow.route} looks slower`;
}

/** The canary's requests in decks since the warm-up. */
export function canaryPerSecond({
  whole,
  warmUp,
  lastAt,
}: Pick<TestCounts, "whole" | "warmUp" | "lastAt">): number {
  const seconds = (lastAt - (warmUp.until ?? lastAt)) / 1000;
  return whole.canaryInDecks / Math.max(1, seconds);
}

function describeNeed(
  test: TestCounts,
  outcome: Outcome | null,
  toFind: number,
): Pick<Verdict, "canaryRequestsNeeded" | "minutesNeeded" | "wouldFind"> {
  const { whole, power } = test;
  const wouldFind = power?.slowdown ?? null;
  if (outcome === "worse" || outcome === "healthy")
    return { canaryRequestsNeeded: 0, minutesNeeded: 0, wouldFind };
  const left = Math.max(0, toFind - whole.canaryInDecks);
  if (outcome !== "insufficient" || !Number.isFinite(left))
    return { canaryRequestsNeeded: null, minutesNeeded: null, wouldFind };
  const perMinute = 60 * canaryPerSecond(test);
  const minutes = perMinute > 0 ? left / perMinute : null;
  return {
    canaryRequestsNeeded: left,
    minutesNeeded: minutes === null ? null : Math.ceil(minutes),
    wouldFind,
  };
}
