import * as z from "zod";
import {
  command,
  duration,
  list,
  wholeNumber,
} from "../service-file/fields.js";
import { reject } from "../service-file/cross-checks.js";
import { text } from "../settings/values.js";

/** How long the command of a step may run. */
export const CHECK_LIMIT_MS = 60_000;

const WEIGHT =
  "a percentage from 0 to 100 with at most two decimals, such as 7.5";
const weight = z
  .number({ error: WEIGHT })
  .min(0, { error: WEIGHT })
  .max(100, { error: WEIGHT })
  // Editors would compute `multipleOf: 0.01` in binary.
  .refine((value) => Number(value.toFixed(2)) === value, { error: WEIGHT })
  .meta({ description: `the canary's share: ${WEIGHT}` });

const STEP = "{weight, for, requests, check} or {pause: true}";
const step = z
  .strictObject(
    {
      weight: weight.optional(),
      for: duration("how long the step lasts at least").optional(),
      requests: wholeNumber(
        "a whole number from 1 to 1000000: requests that the canary answers before the step ends",
        { min: 1, max: 1_000_000 },
      ).optional(),
      check: command(
        "which must succeed within 60 s before the step ends; `serin release` runs it beside serin.yml",
      ).optional(),
      pause: z
        .literal(true, { error: "true, or leave it out" })
        .optional()
        .meta({ description: "waits for `serin rollout promote`" }),
    },
    { error: STEP },
  )
  .superRefine(checkStep)
  .transform(toStep);

const STEPS = "steps such as [{weight: 2, for: 60s}, {weight: 25, for: 90s}]";
const steps = list(STEPS, step)
  .min(1, { error: `at least one step, such as {weight: 2, for: 60s}` })
  .max(50, { error: "at most 50 steps" })
  .superRefine(checkOrder)
  .prefault([
    { weight: 2, for: "60s" },
    { weight: 10, for: "60s" },
    { weight: 25, for: "90s" },
  ]);

const TOKEN = /^[\w!#$%&'*+.^`|~-]{1,64}$/;
const MATCH = "{header}, {cookie} or both";
const match = z
  .strictObject(
    {
      header: text(
        "the name of a request header, such as x-serin-canary",
        TOKEN,
      ).optional(),
      cookie: text(
        "the name of a cookie, such as serin-canary",
        TOKEN,
      ).optional(),
    },
    { error: MATCH },
  )
  .refine(({ header, cookie }) => header ?? cookie, { error: MATCH })
  .meta({
    description:
      "requests that ask for the canary and get it while it is open; they do not count in the verdict",
  });

/** The block `rollout` of serin.yml: `{weight: 5, for: 2m}` is read as `{weight: 5, forMs: 120000}`. */
export const rolloutSpec = z
  .strictObject(
    { steps, match: match.optional() },
    { error: "steps and match" },
  )
  .prefault({})
  .meta({ description: "the steps by which a release reaches prod" });

const ON_BAD = ["abort", "pause", "notify"] as const;
const onBad = z
  .enum(ON_BAD, { error: `one of ${ON_BAD.join(", ")}` })
  .default("abort")
  .meta({ description: "abort, pause, or only notify" });

function rule(description: string) {
  return z
    .strictObject({ on: onBad }, { error: "{on: abort}" })
    .prefault({})
    .meta({ description });
}

const harm = z
  .strictObject(
    {
      requests: wholeNumber(
        "a whole number from 1 to 1000000: requests that may fail or be slow because of the canary",
        { min: 1, max: 1_000_000 },
      ).default(200),
      on: onBad,
    },
    { error: "requests and on" },
  )
  .prefault({})
  .meta({ description: "what a rollout may harm in all" });

const ON_INSUFFICIENT = ["hold", "promote", "abort"] as const;
const insufficient = z
  .strictObject(
    {
      after: duration("how long a step waits for enough requests").prefault(
        "30m",
      ),
      on: z
        .enum(ON_INSUFFICIENT, {
          error: `one of ${ON_INSUFFICIENT.join(", ")}`,
        })
        .default("hold")
        .meta({ description: "hold, go on to the next step, or abort" }),
    },
    { error: "after and on" },
  )
  .prefault({})
  .transform(({ after, on }) => ({ afterMs: after, on }))
  .meta({ description: "what happens with too little traffic to judge" });

/** The block `analysis` of serin.yml: what a rollout does when a rule finds the canary bad. */
export const analysisSpec = z
  .strictObject(
    {
      worse_than_prod: rule("the verdict finds the canary slower than prod"),
      latency: rule("the canary's latency is above the threshold"),
      errors: rule("the canary fails requests that prod serves"),
      not_served: rule("the canary answers 4xx where prod does not"),
      harm,
      insufficient,
    },
    {
      error:
        "worse_than_prod, latency, errors, not_served, harm and insufficient",
    },
  )
  .prefault({})
  .meta({ description: "what the rules of a rollout do" });

/** The two blocks of a rollout, which stay as they were when it started. */
export const specSchema = z.strictObject({
  rollout: rolloutSpec,
  analysis: analysisSpec,
});

export type Spec = z.output<typeof specSchema>;
export type RolloutSpec = Spec["rollout"];
export type AnalysisSpec = Spec["analysis"];
export type Step = RolloutSpec["steps"][number];

/** Lasts until its time and requests are reached and its check has succeeded. */
export interface WeightStep {
  /** In percent. */
  weight: number;
  /** At least. */
  forMs: number;
  requests?: number;
  check?: string;
}

interface PauseStep {
  pause: true;
}

/** The command of a step; undefined for one without. */
export function checkOf(step: Step | undefined): string | undefined {
  return step !== undefined && "check" in step ? step.check : undefined;
}

/** In the terms of serin.yml: what `specSchema` reads again. */
export function toFileTerms({ rollout, analysis }: Spec) {
  const { afterMs, on } = analysis.insufficient;
  const steps = rollout.steps.map((step) => {
    if ("pause" in step) return step;
    const { forMs, ...others } = step;
    return { ...others, ...(forMs > 0 && { for: formatDuration(forMs) }) };
  });
  return {
    rollout: { ...rollout, steps },
    analysis: {
      ...analysis,
      insufficient: { after: formatDuration(afterMs), on },
    },
  };
}

interface StepFields {
  weight?: number | undefined;
  for?: number | undefined;
  requests?: number | undefined;
  check?: string | undefined;
  pause?: true | undefined;
}

function checkStep(step: StepFields, context: z.RefinementCtx): void {
  if (context.issues.length > 0) return; // They say it better.
  const { weight, requests, check, pause } = step;
  const say = (field: string, sentence: string) => {
    reject(context, [field], sentence);
  };
  if (pause === true) {
    if (Object.keys(step).length > 1)
      say("pause", "a pause has no other fields: give {pause: true} as a step");
  } else if (weight === undefined)
    reject(context, [], `a step has neither weight nor pause: give ${STEP}`);
  else if (weight === 0) {
    if (requests !== undefined)
      say(
        "requests",
        "a step of weight 0 counts no requests: give check or for instead",
      );
    else if (check === undefined && !step.for)
      say("weight", "a step of weight 0 would end at once: give check or for");
  } else if (check !== undefined)
    say("check", "check belongs in a step of weight 0: give it one");
  else if (requests === undefined && !step.for)
    say(
      "weight",
      `a step of weight ${weight} would end at once: give for, requests or both`,
    );
}

function toStep(step: StepFields): WeightStep | PauseStep {
  const { weight = 0, for: forMs = 0, requests, check, pause } = step;
  if (pause) return { pause };
  return {
    weight,
    forMs,
    ...(requests !== undefined && { requests }),
    ...(check !== undefined && { check }),
  };
}

function checkOrder(
  steps: readonly (WeightStep | PauseStep)[],
  context: z.RefinementCtx,
): void {
  if (context.issues.length > 0) return; // They say it better.
  let last = 0;
  for (const [place, step] of steps.entries()) {
    if ("pause" in step) continue;
    if (step.weight < last)
      reject(
        context,
        [place, "weight"],
        `the weight goes down from ${last} to ${step.weight}: give at least ${last}, because a rollout only grows until it is aborted`,
      );
    last = Math.max(last, step.weight);
  }
  if (last === 0)
    reject(
      context,
      [],
      "no step has a weight above 0: give one, or no request reaches the canary",
    );
}

/** `90s`, `2m`: the largest unit that is exact. */
function formatDuration(ms: number): string {
  const units = [
    ["h", 3_600_000],
    ["m", 60_000],
    ["s", 1000],
  ] as const;
  const unit = units.find(([, unitMs]) => ms % unitMs === 0);
  return unit === undefined ? `${ms}ms` : `${ms / unit[1]}${unit[0]}`;
}
