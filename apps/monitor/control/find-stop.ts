import { describeWorse } from "../verdict/describe-worse.js";
import type { Observations } from "../telemetry/observations.js";
import { describeLatency, roundUp } from "./judge-latency.js";
import type { Judgements, Outlook } from "./outlook.js";

/** The reason to stop the canary. */
export interface Stop {
  rule: "latency" | "verdict";
  reason: string;
  data: Record<string, unknown>;
}

/** Undefined unless a side is in breach of the threshold; the canary's breach comes first. */
export function findBreach(
  { config, observations }: Outlook,
  judgements: Judgements,
  now: number,
): Stop | undefined {
  const { sides } = config.latency;
  const side = (["canary", "prod"] as const).find(
    (candidate) => sides.includes(candidate) && judgements[candidate].isBreach,
  );
  if (side === undefined) return undefined;
  const { figures } = judgements[side];
  return {
    rule: "latency",
    reason: describeLatency(side, figures),
    data: {
      side,
      ...figures,
      canaryBeforeMs: canaryBeforeMs(observations, figures.quantile, now),
      canaryLatencyMs: judgements.canary.figures.latencyMs,
      prodLatencyMs: judgements.prod.figures.latencyMs,
    },
  };
}

/** Undefined unless the canary is worse and VERDICT is on. */
export function findWorse(
  { config, verdicts, observations }: Outlook,
  now: number,
): Stop | undefined {
  const { verdict } = verdicts;
  if (verdict?.outcome !== "worse" || config.verdict.mode !== "on")
    return undefined;
  return {
    rule: "verdict",
    reason: describeWorse(verdict),
    data: {
      side: "canary",
      evidence: Math.round(verdict.evidence * 100) / 100,
      evidenceToStop: Math.round(verdict.evidenceToStop * 100) / 100,
      canaryRequests: verdict.canary.requests,
      prodRequests: verdict.prod.requests,
      quantile: 0.95,
      canaryBeforeMs: canaryBeforeMs(observations, 0.95, now),
      canaryLatencyMs: observations.sideFigures("canary", now).p95Ms,
      prodLatencyMs: observations.sideFigures("prod", now).p95Ms,
      verdict: verdicts.toRecord(),
    },
  };
}

/** The canary's latency in the window before the current one; null without requests. */
function canaryBeforeMs(
  observations: Observations,
  quantile: number,
  now: number,
): number | null {
  const { latency } = observations.side("canary").figuresBefore(now);
  return roundUp(latency.quantile(quantile));
}
