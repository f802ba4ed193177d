import { nameRelease } from "../wording/release-name.js";
import { formatClock, formatPercent } from "../wording/units.js";
import type { Rollout } from "./rollout.js";

/** `rollout 41 of 0.3.0` */
export function nameRollout({ id, candidate }: Rollout): string {
  return `rollout ${id} of ${nameRelease(candidate) ?? candidate}`;
}

/** `step 2 of 3, canary takes 10 %` */
export function describeStep({ step, spec, weight }: Rollout): string {
  const { steps } = spec.rollout;
  if (step >= steps.length) return `all ${steps.length} steps are done`;
  return `step ${step + 1} of ${steps.length}, canary takes ${formatPercent(weight)}`;
}

/** `is Healthy since 14:03:07 UTC`, `was aborted at …`, `is Progressing (step 2 of 3 …)` */
export function describePhase(rollout: Rollout, now: number): string {
  const at = formatClock(new Date(rollout.at), now);
  const { phase } = rollout;
  if (phase === "Aborted") return `was aborted at ${at}`;
  if (phase === "Healthy") return `is Healthy since ${at}`;
  return phase === "Promoting"
    ? "is Promoting: it waits until prod runs the candidate"
    : `is ${phase} (${describeStep(rollout)})`;
}
