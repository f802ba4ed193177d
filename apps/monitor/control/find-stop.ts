import {
  describeWorse,
  findSlowest,
  summariseWorse,
} from "../verdict/describe-worse.js";
import type { Observations } from "../telemetry/observations.js";
import { describeLatency, roundUp, summariseLatency } from "./judge-latency.js";
import { FAILED } from "../verdict/evidence/not-served.js";
import type { Verdict } from "../verdict/verdict.js";
import type { FlagRecord } from "./flag-record.js";
import { rolloutUnderWay, type Judgements, type Outlook } from "./outlook.js";

/** The reason to stop the canary. */
export interface Stop {
  rule: "latency" | "verdict";
  /** What a rollout's analysis calls it. */
  finding: "latency" | "worse_than_prod" | "errors" | "not_served";
  /** The reason without its figures: `2.1 × slower on GET /cart`. */
  brief: string;
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
    finding: "latency",
    brief: summariseLatency(side, figures),
    reason: describeLatency(side, figures),
    data: {
      side,
      ...figures,
      failed: observations.sideFigures(side, now).errors,
      canaryBeforeMs: canaryBeforeMs(observations, figures.quantile, now),
      canaryLatencyMs: judgements.canary.figures.latencyMs,
      prodLatencyMs: judgements.prod.figures.latencyMs,
    },
  };
}

/** Undefined unless the canary is worse and VERDICT is on. */
export function findWorse({ config, verdicts }: Outlook): Stop | undefined {
  const { verdict } = verdicts;
  if (verdict?.outcome !== "worse" || config.verdict.mode !== "on")
    return undefined;
  const { evidence, evidenceToStop, canary, prod } = verdict;
  const slowest = findSlowest(verdict);
  return {
    rule: "verdict",
    finding: nameFinding(verdict),
    brief: summariseWorse(verdict),
    reason: describeWorse(verdict),
    data: {
      side: "canary",
      evidence: Math.round(evidence * 100) / 100,
      evidenceToStop: Math.round(evidenceToStop * 100) / 100,
      canaryRequests: canary.requests,
      prodRequests: prod.requests,
      failed: canary.errors,
      ...(slowest && {
        route: slowest.route,
        quantile: slowest.quantile,
        canaryLatencyMs: roundUp(slowest.canaryMs),
        prodLatencyMs: roundUp(slowest.prodMs),
      }),
      verdict: verdicts.toRecord(),
    },
  };
}

/** What its rollout does about a stop; without one, the canary is stopped. */
export function reactTo({ finding }: Stop, flag: FlagRecord) {
  const rollout = rolloutUnderWay(flag);
  const on = rollout?.spec.analysis[finding].on ?? "abort";
  return on === "pause" && rollout?.phase === "Promoting" ? "abort" : on;
}

function nameFinding({ notServed, errors, latency }: Verdict) {
  if (notServed !== null && notServed.status !== FAILED) return "not_served";
  const { raw, trimmed, guarded } = latency;
  const isFailing =
    notServed !== null || errors > Math.min(raw, trimmed, guarded);
  return isFailing ? "errors" : "worse_than_prod";
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
