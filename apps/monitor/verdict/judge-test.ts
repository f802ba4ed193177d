import { LatencyHistogram } from "../../../lib/telemetry/latency-histogram.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";
import type { Baseline } from "./baseline.js";
import { weigh, weighRoute, type Evidence } from "./evidence.js";
import type { OpenBlock } from "./open-block.js";
import {
  countRequestsNeeded,
  ENOUGH_BLOCKS,
  ENOUGH_CANARY_REQUESTS,
  WARM_UP_CANARY_REQUESTS,
} from "./requests-needed.js";
import type { RouteCounts } from "./route-counts.js";
import { BROKEN_SPLIT } from "./evidence/share-check.js";
import { logStake, mixStarts } from "./starts.js";
import type { SplitCounts, Stretch } from "./stretch.js";
import { evidenceToStop } from "./evidence/total.js";
import type { Outcome, RouteVerdict, TestedSide, Verdict } from "./verdict.js";

/** The current counts of a test. */
export interface TestCounts {
  attempt: number;
  /** The routes with requests. */
  seen: readonly string[];
  whole: Stretch;
  /** The restarts that are still running. */
  restarts: readonly Stretch[];
  restartsBegun: number;
  block: OpenBlock | undefined;
  warmUp: { canaryRequests: number; isOver: boolean };
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
  const isNotServed = notServed > Math.max(0, compared);
  const evidence = isNotServed ? notServed : compared;
  const toStop = evidenceToStop(options.alpha, test.attempt);
  // The figures are of the whole test, unless the evidence since a restart stops the canary.
  const told =
    test.wasWorse || evidence >= toStop
      ? findHeaviest(weighed, isNotServed ? "notServed" : "total")
      : weighed[0];
  const { stretch, evidence: parts } = told;
  const canary = total(stretch.splits, "canary");
  const prod = total(stretch.splits, "prod");
  const routes = test.seen.map((name) =>
    describeRoute(name, stretch.routes.get(name), options.baseline),
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
  });
  return {
    outcome,
    because,
    evidence: finite(evidence),
    evidenceToStop: toStop,
    latency: {
      raw: finite(parts.raw),
      guarded: finite(parts.guarded),
      blocks: parts.blocks,
    },
    errors: finite(parts.errors),
    notServed: isNotServed ? stretch.refusals.weigh().worst : null,
    split: finite(parts.split),
    since: stretch.number === 0 ? null : stretch.startedAt,
    canary,
    prod,
    canaryRequestsNeeded: countRequestsNeeded({
      outcome,
      canaryRequests: canary.requests,
      warmUpRequestsLeft: test.warmUp.isOver
        ? 0
        : Math.max(0, WARM_UP_CANARY_REQUESTS - test.warmUp.canaryRequests),
    }),
    routes,
  };
}

interface Weighed {
  stretch: Stretch;
  evidence: Evidence;
}

function weighAll({ whole, restarts, restartsBegun, block }: TestCounts) {
  const open =
    block === undefined || block.isEmpty ? undefined : block.sum(whole.routes);
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
  if (!test.warmUp.isOver) return say(...describeWarmUp(test.warmUp));
  if (test.whole.routes.size === 0)
    return say(null, "no route can be compared yet: prod has too few requests");
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
  if (canary < ENOUGH_CANARY_REQUESTS) return say("insufficient");
  const doubt = findDoubt(test, seen);
  return doubt === undefined ? say("healthy") : say("insufficient", doubt);
}

/** Why a canary with enough requests is not healthy yet, or undefined. */
function findDoubt(
  { whole }: TestCounts,
  { unguarded, toStop, routes }: Seen,
): string | undefined {
  if (whole.guard.blocks < ENOUGH_BLOCKS)
    return "too short a time to tell a slow canary from a burst";
  if (unguarded >= toStop)
    return "it looks worse, but a burst is not ruled out";
  const slow = routes.find(({ evidence }) => evidence >= toStop);
  return slow && `${slow.route} looks slower`;
}

function describeWarmUp({
  canaryRequests,
}: TestCounts["warmUp"]): [Outcome | null, string] {
  return canaryRequests === 0
    ? [null, "the canary has had no request yet"]
    : ["insufficient", `warming up: ${canaryRequests} canary requests so far`];
}

function total(splits: readonly SplitCounts[], side: Side): TestedSide {
  const sum = { requests: 0, errors: 0 };
  for (const { requests, errors } of splits) {
    sum.requests += requests[side];
    sum.errors += errors[side];
  }
  return sum;
}

function describeRoute(
  route: string,
  counts: RouteCounts | undefined,
  baseline: Pick<Baseline, "warmUpOf">,
): RouteVerdict {
  const canary = histogramOf(counts, "canary");
  const prod = histogramOf(counts, "prod");
  return {
    route,
    because: counts === undefined ? sayWhyNot(route, baseline) : null,
    evidence: counts === undefined ? 0 : finite(weighRoute(counts)),
    canaryRequests: canary.total,
    prodRequests: prod.total,
    canaryP50Ms: quantile(canary, 0.5),
    prodP50Ms: quantile(prod, 0.5),
    canaryP95Ms: quantile(canary, 0.95),
    prodP95Ms: quantile(prod, 0.95),
  };
}

function sayWhyNot(
  route: string,
  baseline: Pick<Baseline, "warmUpOf">,
): string {
  const warmUp = baseline.warmUpOf(route);
  return "because" in warmUp
    ? warmUp.because
    : "compared from the next window on";
}

function histogramOf(
  counts: RouteCounts | undefined,
  side: Side,
): LatencyHistogram {
  const histogram = new LatencyHistogram();
  if (counts !== undefined) histogram.merge(counts.measured(side));
  return histogram;
}

function quantile(histogram: LatencyHistogram, q: number): number | null {
  const ms = histogram.quantile(q);
  return ms === undefined ? null : Math.round(ms * 100) / 100;
}

/** JSON has no infinities. */
function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}
