import {
  currentStep,
  type Hold,
  type Rollout,
} from "../../../lib/rollout/rollout.js";
import { packedRelease } from "../../../lib/program/release.js";
import type { WeightStep } from "../../../lib/rollout/spec.js";
import type { Request } from "../../../lib/rollout/transitions.js";
import {
  formatCount,
  formatOdds,
  formatSpan,
} from "../../../lib/wording/units.js";
import type { Verdict } from "../verdict/verdict.js";

/** The canary requests of a step that names no number of its own. */
const STEP_REQUESTS = 50;
/** With more evidence against the canary, a step does not end. */
const HOLD_LINE = 1;
/** What holds a step may change, but not at each look. */
const HOLD_AGAIN_MS = 10_000;
/** Prod hosts get the candidate one by one. */
const PROMOTION_MS = 1_800_000;
/** The restart of an app is shorter. */
const UNWELL_MS = 10_000;

export interface ProdHost {
  host: string;
  /** As packed; empty if unknown, or while its agent is silent. */
  version: string;
  /** What is wrong with its app, and since when; undefined while it is healthy. */
  unwell: { because: string; sinceMs: number } | undefined;
}

/** What is known when a step is judged. */
export interface StepFacts {
  /** Whether any proxy sends requests to the canary, by weight. */
  isDealing: boolean;
  /** As packed; empty if unknown. */
  canaryVersions: readonly string[];
  prod: readonly ProdHost[];
  /** The canary's since the step began. */
  requests: number;
  /** Since the rollout started. */
  harm: number;
  /** Undefined where nothing is compared. */
  verdict: Verdict | undefined;
}

/** What the leading monitor asks of the rollout, and what it reports beside the sentence of the transition. */
export interface Step {
  request: Request;
  /** In place of the transition's sentence. */
  reason?: string;
  data?: Record<string, unknown>;
}

/** What is next; undefined while the step goes on. @param now ms since the epoch, by Redis's clock */
export function decideStep(
  rollout: Rollout,
  facts: StepFacts,
  now: number,
): Step | undefined {
  if (rollout.phase === "Promoting")
    return decidePromotion(rollout, facts, now);
  const harmed = checkHarm(rollout, facts);
  if (harmed !== undefined) return harmed;
  const step = currentStep(rollout);
  if (rollout.phase !== "Progressing" || step === undefined || "pause" in step)
    return undefined;
  const other = findOtherVersion(rollout, facts);
  if (other !== undefined) return hold(rollout, "version", other, now);
  if (rollout.heldBy === "version") return { request: { verb: "begin" } };
  if (now - rollout.stepStartedAt < step.forMs) return undefined;
  const doubt = findDoubt(rollout, step, facts);
  if (doubt !== undefined)
    return (
      tooLittle(rollout, doubt, facts, now) ?? hold(rollout, ...doubt, now)
    );
  return { request: { verb: "promote", harm: facts.harm } };
}

type Doubt = readonly [by: Hold, because: string];

function findOtherVersion(
  { candidate }: Rollout,
  { canaryVersions }: StepFacts,
): string | undefined {
  const wanted = packedRelease(candidate);
  const others = canaryVersions.filter((version) => version !== wanted);
  return others.length === 0
    ? undefined
    : `the canary runs ${others.join(", ")}, not ${candidate}`;
}

function findDoubt(
  rollout: Rollout,
  step: WeightStep,
  { isDealing, requests, verdict }: StepFacts,
): Doubt | undefined {
  if (step.check !== undefined && !rollout.checked)
    return ["check", "nobody has reported that its check has passed"];
  if (step.weight === 0) return undefined;
  if (!isDealing) return ["blind", "no proxy sends requests to the canary"];
  const needed = step.requests ?? STEP_REQUESTS;
  if (requests < needed)
    return [
      step.requests === undefined ? "insufficient" : "requests",
      `${formatCount(requests)} of ${formatCount(needed)} canary requests`,
    ];
  return verdict && findVerdictDoubt(verdict);
}

function findVerdictDoubt({
  outcome,
  because,
  evidence,
  evidenceToStop,
}: Verdict): Doubt | undefined {
  if (outcome === "warming")
    return ["insufficient", because ?? "the verdict warms up"];
  if (outcome === null || outcome === "split broken")
    return ["blind", because ?? "there is no verdict"];
  return outcome === "worse" || evidence >= HOLD_LINE
    ? [
        "evidence",
        `the odds are ${formatOdds(evidence)} that the canary is worse; ${formatOdds(evidenceToStop)} stop it`,
      ]
    : undefined;
}

/** What follows when there has been too little traffic for long. */
function tooLittle(
  { heldBy, heldSince, spec }: Rollout,
  [by, because]: Doubt,
  { verdict, harm }: StepFacts,
  now: number,
): Step | undefined {
  const { afterMs, on } = spec.analysis.insufficient;
  const isLittle = by === "insufficient" || by === "requests";
  if (!isLittle || on === "hold") return undefined;
  if (heldBy !== by || now - (heldSince ?? now) < afterMs) return undefined;
  const reason = `too little traffic to judge for ${formatSpan(afterMs)}: ${because}`;
  if (on === "abort")
    return {
      ...{ request: { verb: "abort" }, reason },
      data: { rule: "insufficient" },
    };
  // What there is of it must not speak against the canary.
  const isDoubtful = verdict && findVerdictDoubt(verdict)?.[0] === "evidence";
  return isDoubtful
    ? undefined
    : { request: { verb: "promote", harm }, reason };
}

function hold(
  { heldBy, heldSince }: Rollout,
  by: Hold,
  because: string,
  now: number,
): Step | undefined {
  if (heldBy === by) return undefined;
  if (heldBy !== null && now - (heldSince ?? 0) < HOLD_AGAIN_MS)
    return undefined;
  return { request: { verb: "hold", by, because } };
}

function checkHarm(rollout: Rollout, { harm }: StepFacts): Step | undefined {
  const { requests, on } = rollout.spec.analysis.harm;
  if (harm <= requests || on === "notify") return undefined;
  const reason = `canary has failed or slowed ${formatCount(harm)} requests more than prod would have: its budget is ${formatCount(requests)}`;
  const data = {
    ...{ rule: "harm", brief: "harm budget is used up" },
    ...{ side: "canary", harm },
  };
  if (on === "abort") return { request: { verb: "abort" }, reason, data };
  return rollout.phase === "Paused"
    ? undefined
    : { request: { verb: "pause", notify: true }, reason, data };
}

function decidePromotion(
  rollout: Rollout,
  { prod }: StepFacts,
  now: number,
): Step | undefined {
  const { candidate } = rollout;
  const rule = "promotion";
  const wanted = packedRelease(candidate);
  const promoted = prod.filter(({ version }) => version === wanted);
  for (const { host, unwell } of promoted)
    if (unwell !== undefined && now - unwell.sinceMs >= UNWELL_MS)
      return {
        request: { verb: "abort" },
        reason: `prod's app on ${host} ${unwell.because} since it runs ${candidate}`,
        data: { rule, side: "prod" },
      };
  const hosts = promoted.length;
  if (hosts > 0 && hosts === prod.length)
    return promoted.some(({ unwell }) => unwell !== undefined)
      ? undefined
      : { request: { verb: "finish" } };
  if (hosts !== rollout.promoted)
    return { request: { verb: "promoted", hosts, of: prod.length } };
  if (now - rollout.stepStartedAt < PROMOTION_MS) return undefined;
  return {
    request: { verb: "abort" },
    reason: `no prod host has got ${candidate} for ${formatSpan(PROMOTION_MS)}`,
    data: { rule },
  };
}
