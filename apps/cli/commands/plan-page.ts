import type {
  PlanReport,
  Recommendation,
  WeightPlan,
} from "../../../lib/telemetry/plan-report.js";
import { toPlain } from "../../../lib/wording/plain-text.js";
import {
  formatCount,
  formatNumber,
  formatRate,
  formatRatio,
  UNKNOWN,
} from "../../../lib/wording/units.js";
import { wrap } from "../fit.js";
import { drawSentence, type Look } from "../output.js";
import { drawTable } from "./members.js";

export function drawPlan(plan: PlanReport, look: Look): string[] {
  const { minutes, missing, requestsPerSecond, warmUpMs } = plan;
  if (missing !== null) return drawSentence("yellow", toPlain(missing), look);
  const rate = `the service has ${formatNumber(requestsPerSecond)} requests/s`;
  const explain = (text: string) => wrap(text, look.width);
  return [
    ...drawSentence(
      "bold",
      `What ${formatNumber(minutes)} minutes at each weight would find, with 90 % power: ${rate}.`,
      look,
    ),
    ...drawWeights(plan.weights, look),
    "",
    ...explain(
      `slower, errors: the smallest slow-down and share of errors that is found in this time. × 1.5: when a canary that is so much slower is stopped, with ${formatNumber(warmUpMs / 1000)} s of warm-up, and how many requests have met it by then.`,
    ),
    ...(plan.rollout === null ? [] : drawRollout(plan.rollout, look)),
  ];
}

function drawWeights(weights: readonly WeightPlan[], look: Look): string[] {
  const [first] = weights;
  if (first === undefined) return [];
  const titles = [
    ...["weight", "canary", "slower", "errors"],
    ...first.slowdowns.map(({ slowdown }) => `× ${formatNumber(slowdown)}`),
  ];
  const columns = titles.map((title) => ({ title, isFigure: true }));
  const rows = weights.map((plan) => [
    `${plan.weight} %`,
    formatRate(plan.canaryPerSecond),
    plan.findsSlowdown === null ? UNKNOWN : `× ${plan.findsSlowdown}`,
    formatRatio(plan.findsErrorRatio),
    ...plan.slowdowns.map(({ minutes, canaryRequests }) =>
      minutes === null || canaryRequests === null
        ? UNKNOWN
        : `${formatMinutes(minutes)} ${formatThousands(canaryRequests)}`,
    ),
  ]);
  return drawTable(columns, rows, look);
}

/** `1.2 min`, `3.4 h` */
function formatMinutes(minutes: number): string {
  return minutes < 100
    ? `${formatNumber(minutes)} min`
    : `${formatNumber(minutes / 60)} h`;
}

/** `8,468`, `17k`, `1.2M`: three columns of them fit a terminal. */
function formatThousands(count: number): string {
  if (count < 10_000) return formatCount(count);
  return count < 1e6
    ? `${formatCount(count / 1000)}k`
    : `${formatNumber(count / 1e6)}M`;
}

/** The block of serin.yml, to be copied, and why it is so. */
function drawRollout({ steps, because }: Recommendation, look: Look): string[] {
  return [
    "",
    ...drawSentence("bold", "Recommended, for serin.yml:", look),
    "rollout:",
    "  steps:",
    ...steps.map((step) => `    - {weight: ${step.weight}, for: ${step.for}}`),
    "",
    ...because.flatMap((reason) => wrap(`${toPlain(reason)}.`, look.width)),
  ];
}
