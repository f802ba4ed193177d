import { LatencyHistogram } from "../../../lib/latency-histogram.js";
import type { Side } from "../../../lib/telemetry.js";
import type { Baseline } from "./baseline.js";
import type { GuardSums } from "./burst-guard.js";
import {
  weigh,
  weighRoute,
  type Evidence,
  type SplitCounts,
} from "./evidence.js";
import type { OpenBlock } from "./open-block.js";
import {
  countRequestsNeeded,
  ENOUGH_BLOCKS,
  ENOUGH_CANARY_REQUESTS,
} from "./requests-needed.js";
import type { RouteCounts } from "./route-counts.js";
import { BROKEN_SPLIT } from "./share-check.js";
import { evidenceToStop, totalEvidence } from "./total.js";
import { WARM_UP_CANARY_REQUESTS } from "./warm-up.js";
import type { Outcome, RouteVerdict, SideTotals, Verdict } from "./verdict.js";

/** A test's counts, as they stand. */
export interface TestCounts {
  attempt: number;
  routes: ReadonlyMap<string, RouteCounts>;
  seen: ReadonlySet<string>;
  splits: readonly SplitCounts[];
  guard: GuardSums;
  block: OpenBlock | undefined;
  warmUp: { canaryRequests: number; isOver: boolean };
  /** What is wrong with what was heard lately. */
  flaw: string | null;
  /** Whether the evidence has sufficed before. */
  wasWorse: boolean;
}

/** Pure: the same counts give the same verdict, also when they come from the ledger. */
export function judgeTest(
  test: TestCounts,
  options: { alpha: number; baseline: Baseline },
): Verdict {
  const evidence = weigh(test);
  const toStop = evidenceToStop(options.alpha, test.attempt);
  const canary = total(test.splits, "canary");
  const prod = total(test.splits, "prod");
  const routes = [...test.seen].map((name) =>
    describeRoute(name, test.routes.get(name), options.baseline),
  );
  const { outcome, because } = decide(test, {
    evidence,
    toStop,
    canary: canary.requests,
    prod: prod.requests,
    routes,
  });
  return {
    outcome,
    because,
    evidence: finite(evidence.total),
    evidenceToStop: toStop,
    latency: {
      raw: finite(evidence.raw),
      guarded: finite(evidence.guarded),
      blocks: evidence.blocks,
    },
    errors: finite(evidence.errors),
    split: finite(evidence.split),
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

interface Seen {
  evidence: Evidence;
  toStop: number;
  canary: number;
  prod: number;
  routes: readonly RouteVerdict[];
}

function decide(
  test: TestCounts,
  seen: Seen,
): { outcome: Outcome | null; because: string | null } {
  const { evidence, toStop, canary, prod } = seen;
  const say = (outcome: Outcome | null, because: string | null = null) => ({
    outcome,
    because,
  });
  if (test.wasWorse) return say("worse");
  if (test.flaw !== null) return say(null, test.flaw);
  if (!test.warmUp.isOver) return say(...describeWarmUp(test.warmUp));
  if (test.routes.size === 0)
    return say(null, "no route can be compared yet: prod is not known on any");
  if (canary === 0) return say(null, "the canary has had no request yet");
  if (prod === 0) return say(null, "prod has had no request yet");
  if (!Number.isFinite(evidence.total) || !Number.isFinite(evidence.split))
    return say(null, "the evidence is not a number");
  if (evidence.split >= BROKEN_SPLIT)
    return say(
      "split broken",
      "the sides were not dealt requests in the split’s ratio",
    );
  if (evidence.total >= toStop) return say("worse");
  if (canary < ENOUGH_CANARY_REQUESTS) return say("insufficient");
  const doubt = findDoubt(test, seen);
  return doubt === undefined ? say("healthy") : say("insufficient", doubt);
}

/** What keeps a canary of which enough requests were seen from being called healthy. */
function findDoubt(
  test: TestCounts,
  { evidence, toStop, routes }: Seen,
): string | undefined {
  if (test.guard.blocks < ENOUGH_BLOCKS)
    return "seen for too short a time to tell a slow canary from a burst";
  if (totalEvidence(evidence.raw, evidence.errors) >= toStop)
    return "it looks worse, and a burst is not ruled out";
  const slow = routes.find((route) => route.evidence >= toStop);
  return slow && `${slow.route} looks slower`;
}

function describeWarmUp({
  canaryRequests,
}: TestCounts["warmUp"]): [Outcome | null, string] {
  return canaryRequests === 0
    ? [null, "the canary has had no request yet"]
    : ["insufficient", `warming up: ${canaryRequests} canary requests so far`];
}

function total(splits: readonly SplitCounts[], side: Side): SideTotals {
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
  baseline: Baseline,
): RouteVerdict {
  const canary = histogramOf(counts, "canary");
  const prod = histogramOf(counts, "prod");
  const warmUp = baseline.warmUpOf(route);
  return {
    route,
    because:
      counts !== undefined || !("because" in warmUp) ? null : warmUp.because,
    evidence: counts === undefined ? 0 : finite(weighRoute(counts)),
    canaryRequests: canary.total,
    prodRequests: prod.total,
    canaryP50Ms: quantile(canary, 0.5),
    prodP50Ms: quantile(prod, 0.5),
    canaryP95Ms: quantile(canary, 0.95),
    prodP95Ms: quantile(prod, 0.95),
  };
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

/** JSON knows no other numbers. */
function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}
