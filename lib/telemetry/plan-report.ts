import * as z from "zod";

const figure = z.number().nullable();

/** A canary that is so much slower, found with 90 % power. */
const found = z.object({
  slowdown: z.number(),
  /** Until it is stopped, with the warm-up; null if it is not found within a day. */
  minutes: figure,
  /** The requests that have met it by then. */
  canaryRequests: figure,
});

const weightPlan = z.object({
  /** In percent. */
  weight: z.number(),
  canaryPerSecond: z.number(),
  /** The smallest that is found within the plan's minutes; null if none is. */
  findsSlowdown: figure,
  findsErrorRatio: figure,
  slowdowns: z.array(found),
});

const recommendation = z.object({
  /** As in serin.yml. */
  steps: z.array(z.object({ weight: z.number(), for: z.string() })),
  /** Sentences. */
  because: z.array(z.string()),
});

/** The answer of `GET /api/plan`: what rollouts would find, by prod's own traffic. */
export const planReport = z.object({
  minutes: z.number(),
  /** What is needed before anything can be said; null if nothing. */
  missing: z.string().nullable(),
  requestsPerSecond: z.number(),
  prodErrorRatio: z.number(),
  warmUpMs: z.number(),
  weights: z.array(weightPlan),
  /** Null without traffic. */
  rollout: recommendation.nullable(),
});

export type PlanReport = z.infer<typeof planReport>;
export type WeightPlan = z.infer<typeof weightPlan>;
export type Recommendation = z.infer<typeof recommendation>;

/** Undefined if it is no plan. */
export function parsePlan(answer: unknown): PlanReport | undefined {
  return planReport.safeParse(answer).data;
}
