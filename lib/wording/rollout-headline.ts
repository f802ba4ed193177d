import type { Hold } from "../rollout/rollout.js";
import type { RolloutReport } from "../rollout/rollout-report.js";
import { nameRelease } from "./release-name.js";
import { describeElapsed } from "./rollout-steps.js";
import { formatPercent, parseDuration } from "./units.js";

const HELD: Record<Hold, string> = {
  requests: "waits for more requests",
  insufficient: "waits for more requests",
  evidence: "held until it looks no worse than prod",
  check: "waits for its check",
  version: "waits until the canary runs it",
  blind: "held while the sides are not compared",
};

export function isUnderWay(
  rollout: RolloutReport | null | undefined,
): rollout is RolloutReport {
  const phase = rollout?.phase ?? "Healthy";
  return ["Progressing", "Paused", "Promoting"].includes(phase);
}

/** `Rollout 41 of 0.3.0: step 2 of 3, canary takes 10 %, 0:41 of 1:00` */
export function describeRollout(rollout: RolloutReport, now: number): string {
  const { id, candidate, weight, phase, promoted } = rollout;
  const steps = readSteps(rollout);
  const name = `Rollout ${id} of ${nameRelease(candidate) ?? candidate}`;
  const takes = `canary takes ${formatPercent(weight)}`;
  if (phase === "Promoting")
    return `${name}: prod gets it, ${promoted} ${promoted === 1 ? "host has" : "hosts have"} it, ${takes}`;
  const place = `step ${rollout.step + 1} of ${steps.length}, ${takes}`;
  return [`${name}: ${place}`, describeTime(rollout, now)]
    .filter(Boolean)
    .join(", ");
}

/** Why it does not go on by itself; undefined if it does. */
export function describeHold({
  phase,
  heldBy,
}: RolloutReport): string | undefined {
  if (phase === "Paused") return "paused until a person promotes it";
  return heldBy === null ? undefined : HELD[heldBy];
}

/** Undefined for a step without a time. */
function describeTime(rollout: RolloutReport, now: number): string | undefined {
  const lasts = readSteps(rollout)[rollout.step]?.for;
  const forMs = typeof lasts === "string" ? parseDuration(lasts) : undefined;
  if (forMs === undefined) return undefined;
  const until = rollout.pausedAt === null ? now : Date.parse(rollout.pausedAt);
  return describeElapsed(until - Date.parse(rollout.stepStartedAt), forMs);
}

function readSteps({ spec }: RolloutReport): { for?: unknown }[] {
  const { steps } = (spec.rollout ?? {}) as { steps?: { for?: unknown }[] };
  return steps ?? [];
}
