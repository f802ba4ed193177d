import type { Recommendation } from "../../../lib/telemetry/plan-report.js";
import { WARM_UP_CANARY_REQUESTS } from "../verdict/release-test.js";
import type { PlanFacts } from "./plan.js";

const LEAST_WEIGHT = 2;
/** The canary requests a second that the first step needs. */
const FIRST_PER_SECOND = 2;
const WEIGHTS = [10, 25, 50];
const LAST_STEP_SECONDS = 90;
const STEP_SECONDS = 60;

/**
 * The first weight is the smallest with two canary requests a second, and the last one at most the canary hosts' share of the
 * capacity: beyond it the rollout itself would overload them.
 *
 * @param secondsAt how long the last step needs to find a canary 1.5 × slower; infinite if it does not
 */
export async function recommend(
  { requestsPerSecond, hosts, rule }: PlanFacts,
  secondsAt: (weight: number) => Promise<number>,
): Promise<Recommendation | null> {
  if (!(requestsPerSecond > 0)) return null;
  const because: string[] = [];
  const wanted = Math.max(
    LEAST_WEIGHT,
    Math.ceil((100 * FIRST_PER_SECOND) / requestsPerSecond),
  );
  const known = hosts.prod > 0 && hosts.canary > 0;
  const cap = known
    ? Math.floor((100 * hosts.canary) / (hosts.prod + hosts.canary))
    : 50;
  because.push(
    known
      ? `The canary has ${hosts.canary} of ${hosts.prod + hosts.canary} hosts, and so ${cap} % of the capacity`
      : "The agents of both sides do not report, so the capacity of the canary’s hosts is not known",
  );
  const first = Math.max(1, Math.min(wanted, cap));
  if (first < wanted)
    because.push(
      `The canary gets less than ${FIRST_PER_SECOND} requests/s at ${first} %: each step takes long`,
    );
  else if (first > LEAST_WEIGHT)
    because.push(
      `Below ${first} % the canary gets less than ${FIRST_PER_SECOND} requests/s`,
    );
  const weights = [first, ...WEIGHTS.filter((weight) => weight > first)].filter(
    (weight) => weight <= Math.max(first, cap),
  );
  const seconds = weights.map((weight, i) => {
    const perSecond = (requestsPerSecond * weight) / 100;
    const least = i === 0 ? rule.warmUpMs / 1000 : 0;
    return Math.max(STEP_SECONDS, least, WARM_UP_CANARY_REQUESTS / perSecond);
  });
  const last = weights.length - 1;
  const greatest = weights.at(-1) ?? first;
  const needed = await secondsAt(greatest);
  if (Number.isFinite(needed)) {
    // The warm-up is over by then, unless this is the first step.
    const warmUp = last === 0 ? rule.warmUpMs / 1000 : 0;
    seconds[last] = warmUp + Math.max(LAST_STEP_SECONDS, needed);
    because.push(
      `The last step is as long as it takes to find a canary 1.5 × slower`,
    );
  } else
    because.push(
      `A canary 1.5 × slower is not found at ${greatest} %: the tolerance, the guard against stalls or the rate hides it`,
    );
  const steps = weights.map((weight, i) => ({
    weight,
    for: `${10 * Math.ceil((seconds[i] ?? 0) / 10)}s`,
  }));
  return { steps, because };
}
