import { setImmediate as yieldToOthers } from "node:timers/promises";
import { MAX_DECK_REQUESTS, MAX_DECKS } from "../../../lib/telemetry/decks.js";
import type {
  PlanReport,
  WeightPlan,
} from "../../../lib/telemetry/plan-report.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";
import type { ComparedRoute } from "../verdict/baseline/compared-route.js";
import { evidenceToStop } from "../verdict/evidence/total.js";
import { errorRatioFound } from "../verdict/power/error-power.js";
import { deckOfShare, drawDecks } from "../verdict/power/drawn-decks.js";
import { requestsNeeded } from "../verdict/power/power.js";
import { WARM_UP_CANARY_REQUESTS } from "../verdict/release-test.js";
import { recommend } from "./recommend.js";

/** Whose times are told. */
const SLOWDOWNS = [1.2, 1.5, 2] as const;
/** The smallest one that is found is one of these. */
const STEPS = [
  ...[1.1, 1.15, 1.2, 1.25, 1.3, 1.4, 1.5, 1.75],
  ...[2, 2.5, 3, 4, 5, 7, 10],
];
/** How long the answers of a deck and the monitor's look take. */
const REPORT_MS = 2500;
/** A proxy's window at the default TELEMETRY_INTERVAL_MS. */
const WINDOW_MS = 500;

export interface PlanFacts {
  /** With requests of prod. */
  routes: readonly ComparedRoute[];
  /** What the routes without enough requests lack, if no route has enough. */
  missing: string | null;
  requestsPerSecond: number;
  prodErrorRatio: number;
  proxies: number;
  hosts: Record<Side, number>;
  rule: { alpha: number; stallMs: number; warmUpMs: number };
}

/** What rollouts of this service would find, by prod's own traffic. It takes a second, and yields to judging. */
export async function createPlan(
  facts: PlanFacts,
  { minutes, weights }: { minutes: number; weights: readonly number[] },
): Promise<PlanReport> {
  const { missing, requestsPerSecond, prodErrorRatio, rule } = facts;
  const { warmUpMs } = rule;
  const plans: WeightPlan[] = [];
  if (missing === null)
    for (const weight of weights)
      plans.push(await planWeight(facts, weight, minutes));
  const rollout =
    missing === null
      ? await recommend(facts, async (weight) => {
          const seconds = await secondsToFind(facts, weight)(1.5);
          return seconds - warmUpSeconds(facts, weight);
        })
      : null;
  return {
    ...{ minutes, missing, requestsPerSecond, prodErrorRatio, warmUpMs },
    ...{ weights: plans, rollout },
  };
}

async function planWeight(
  facts: PlanFacts,
  weight: number,
  minutes: number,
): Promise<WeightPlan> {
  const canaryPerSecond = (facts.requestsPerSecond * weight) / 100;
  const secondsOf = secondsToFind(facts, weight);
  const slowdowns: WeightPlan["slowdowns"] = [];
  for (const slowdown of SLOWDOWNS) {
    const seconds = await secondsOf(slowdown);
    const isFound = Number.isFinite(seconds);
    slowdowns.push({
      slowdown,
      minutes: isFound ? seconds / 60 : null,
      canaryRequests: isFound ? Math.ceil(seconds * canaryPerSecond) : null,
    });
  }
  return {
    weight,
    canaryPerSecond,
    findsSlowdown: await findSmallest(
      async (slowdown) => (await secondsOf(slowdown)) <= 60 * minutes,
    ),
    findsErrorRatio: errorRatioFound({
      canaryRequests: Math.floor(60 * minutes * canaryPerSecond),
      share: weight / 100,
      prodErrorRatio: facts.prodErrorRatio,
      toStop: evidenceToStop(facts.rule.alpha),
    }),
    slowdowns,
  };
}

/** How long a canary at this weight takes until it is stopped with 90 % power, by how many times slower it is. */
function secondsToFind(facts: PlanFacts, weight: number) {
  const { routes, requestsPerSecond, proxies, rule } = facts;
  const known = new Map<number, number>();
  const ratio = deckOfShare(weight / 100);
  const dealt = (requestsPerSecond * weight) / 100;
  const inWindow = Math.floor(MAX_DECK_REQUESTS / (ratio.prod + ratio.canary));
  const mostDecks =
    (Math.max(1, proxies) * Math.min(MAX_DECKS, inWindow) * 1000) / WINDOW_MS;
  const perSecond = Math.min(dealt, mostDecks * ratio.canary);
  const search = {
    ...{ ratio, perSecond, stallMs: rule.stallMs },
    toStop: evidenceToStop(rule.alpha),
  };
  return async (slowdown: number): Promise<number> => {
    const before = known.get(slowdown);
    if (before !== undefined) return before;
    await yieldToOthers();
    const decks = drawDecks(routes, ratio, slowdown);
    await yieldToOthers();
    const counted = requestsNeeded(decks, search) / perSecond;
    const seconds = warmUpSeconds(facts, weight) + counted + REPORT_MS / 1000;
    known.set(slowdown, seconds);
    return seconds;
  };
}

function warmUpSeconds(
  { requestsPerSecond, rule }: PlanFacts,
  weight: number,
): number {
  const canaryPerSecond = (requestsPerSecond * weight) / 100;
  return Math.max(
    rule.warmUpMs / 1000,
    WARM_UP_CANARY_REQUESTS / canaryPerSecond,
  );
}

/** Of the steps, of which each is found if a smaller one is. */
async function findSmallest(
  isFound: (slowdown: number) => Promise<boolean>,
): Promise<number | null> {
  let [low, high] = [0, STEPS.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (await isFound(STEPS[middle] ?? Infinity)) high = middle;
    else low = middle + 1;
  }
  return STEPS[low] ?? null;
}
