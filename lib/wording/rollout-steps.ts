import type { Rollout } from "../rollout/rollout.js";
import type { Step } from "../rollout/spec.js";
import { formatCountdown, formatPercent } from "./units.js";

/**
 * Where a rollout is: `2 % ✔ · 10 % ▶ 0:41 of 1:00 · 25 % · prod`
 *
 * @param now ms since the epoch, by Redis's clock
 */
export function describeSteps(rollout: Rollout, now: number): string {
  const { spec, step, phase } = rollout;
  const names = [...spec.rollout.steps.map(nameStep), "prod"];
  return names
    .map((name, place) => {
      if (place < step || phase === "Healthy") return `${name} ✔`;
      return place > step ? name : `${name} ${markCurrent(rollout, now)}`;
    })
    .join(" · ");
}

function nameStep(step: Step): string {
  if ("pause" in step) return "pause";
  const percent = formatPercent(step.weight);
  return step.check === undefined ? percent : `${percent} check`;
}

function markCurrent(rollout: Rollout, now: number): string {
  const { phase } = rollout;
  if (phase === "Aborted" || phase === "Superseded") return "✘";
  const time = describeTime(rollout, now);
  return phase === "Paused" && time !== undefined
    ? `‖ ${time}`
    : ["▶", time].filter(Boolean).join(" ");
}

/** Undefined for a step without a time. */
function describeTime(rollout: Rollout, now: number): string | undefined {
  const { spec, step, stepStartedAt, pausedAt } = rollout;
  const current = spec.rollout.steps[step];
  if (current === undefined || "pause" in current || current.forMs === 0)
    return undefined;
  return describeElapsed((pausedAt ?? now) - stepStartedAt, current.forMs);
}

/** `0:41 of 1:00` */
export function describeElapsed(spentMs: number, forMs: number): string {
  const shownMs = Math.floor(Math.max(0, spentMs) / 1000) * 1000;
  return `${formatCountdown(Math.min(forMs, shownMs))} of ${formatCountdown(forMs)}`;
}
