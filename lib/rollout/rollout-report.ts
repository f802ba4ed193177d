import * as z from "zod";
import { HOLDS, PHASES, type Rollout } from "./rollout.js";
import { specSchema, toFileTerms } from "./spec.js";

const time = z.string();
const text = z.string().nullable();

/** A rollout in the monitor's API and in `serin rollout status --json`. Times are ISO 8601, UTC, by Redis's clock. */
export const rolloutReport = z.object({
  id: z.int(),
  candidate: z.string(),
  stable: z.string(),
  phase: z.enum(PHASES),
  /** The index of the current step; the number of steps once all are done. */
  step: z.int(),
  stepStartedAt: time,
  /** In percent. */
  weight: z.number(),
  checked: z.boolean(),
  pausedAt: time.nullable(),
  heldBy: z.enum(HOLDS).nullable(),
  heldSince: time.nullable(),
  outcome: text,
  by: z.string(),
  reason: z.string(),
  at: time,
  startedAt: time,
  harm: z.number(),
  /** While Promoting: prod hosts that run the candidate. */
  promoted: z.int(),
  /** The blocks `rollout` and `analysis` of serin.yml when it started. */
  spec: z.record(z.string(), z.unknown()),
});
export type RolloutReport = z.infer<typeof rolloutReport>;

export function toRolloutReport(rollout: Rollout): RolloutReport {
  const { at, startedAt, stepStartedAt, pausedAt, heldSince } = rollout;
  const toIso = (ms: number) => new Date(ms).toISOString();
  return {
    ...rollout,
    at: toIso(at),
    startedAt: toIso(startedAt),
    stepStartedAt: toIso(stepStartedAt),
    pausedAt: pausedAt === null ? null : toIso(pausedAt),
    heldSince: heldSince === null ? null : toIso(heldSince),
    spec: toFileTerms(rollout.spec),
  };
}

/** @throws if its spec is of another Serin */
export function fromRolloutReport(report: RolloutReport): Rollout {
  const { at, startedAt, stepStartedAt, pausedAt, heldSince } = report;
  return {
    ...report,
    at: Date.parse(at),
    startedAt: Date.parse(startedAt),
    stepStartedAt: Date.parse(stepStartedAt),
    pausedAt: pausedAt === null ? null : Date.parse(pausedAt),
    heldSince: heldSince === null ? null : Date.parse(heldSince),
    spec: specSchema.parse(report.spec),
  };
}
