import * as z from "zod";
import { parseJson } from "../redis/stream-entry.js";
import { specSchema, toFileTerms, type Spec, type Step } from "./spec.js";

/**
 * `Paused`: waits for a person. `Promoting`: all steps are done, and prod gets the candidate. `Superseded`: a newer rollout has
 * begun; only the ledger has such rollouts.
 */
export const PHASES = [
  "Progressing",
  "Paused",
  "Promoting",
  "Healthy",
  "Aborted",
  "Superseded",
] as const;
export type Phase = (typeof PHASES)[number];

/** What holds a step whose time is over. */
export const HOLDS = [
  "requests",
  "insufficient",
  "evidence",
  "check",
  "version",
  "blind",
] as const;
export type Hold = (typeof HOLDS)[number];

/** One release on its way to prod. Times are in ms since the epoch, by Redis's clock. */
export interface Rollout {
  id: number;
  /** The releases on the canary and, until this rollout is over, on prod. */
  candidate: string;
  stable: string;
  phase: Phase;
  /** The index of the current step; the number of steps once all are done. */
  step: number;
  /** When the step began, moved on by the time that the rollout was paused since. */
  stepStartedAt: number;
  /** The canary's share in percent. */
  weight: number;
  /** Whether the check of the current step has succeeded. */
  checked: boolean;
  pausedAt: number | null;
  heldBy: Hold | null;
  heldSince: number | null;
  /** What ended it: `promoted`, the rule that aborted it, or who did; null while it goes on. */
  outcome: string | null;
  /** Who changed it last, why, and when. */
  by: string;
  reason: string;
  at: number;
  startedAt: number;
  /** Excess failures and slow answers of the canary in earlier steps. */
  harm: number;
  /** While Promoting: the prod hosts that run the candidate. */
  promoted: number;
  spec: Spec;
}

/** What a change of the rollout was decided on, as stored. */
export type Position = Record<"id" | "phase" | "step", string>;

const ABSENT: Position = { id: "", phase: "", step: "" };

/** The stored rollout. `rollout` is undefined if there is none, or if it cannot be read: then `problem` says why. */
export interface Reading {
  position: Position;
  rollout?: Rollout;
  problem?: string;
}

export function isOver({ phase }: Pick<Rollout, "phase">): boolean {
  return phase === "Healthy" || phase === "Aborted" || phase === "Superseded";
}

export function currentStep({ spec, step }: Rollout): Step | undefined {
  return spec.rollout.steps[step];
}

const whole = z.coerce.number<string>().int().min(0);
/** The last that a Date can have. */
const time = whole.max(8.64e15);
/** `""` is null. */
const orNone = <T extends z.ZodType>(takes: T) =>
  z
    .literal("")
    .transform(() => null)
    .or(takes);
const text = z.string().max(10_000);
const filled = z.string().min(1).max(10_000);

const stored = z.object({
  id: whole.min(1),
  candidate: filled,
  stable: text,
  phase: z.enum(PHASES),
  step: whole,
  stepStartedAt: time,
  weight: z.coerce.number<string>().min(0).max(100),
  checked: z.stringbool(),
  pausedAt: orNone(time),
  heldBy: orNone(z.enum(HOLDS)),
  heldSince: orNone(time),
  outcome: orNone(text),
  by: text,
  reason: text,
  at: time,
  startedAt: time,
  harm: z.coerce.number<string>().min(0),
  promoted: whole,
});

/** @param hash as HGETALL gives it; empty without a rollout */
export function parseRollout(hash: Record<string, string>): Reading {
  if (Object.keys(hash).length === 0) return { position: ABSENT };
  const { id = "", phase = "", step = "" } = hash;
  const position = { id, phase, step };
  const refuse = (problem: string): Reading => ({
    position,
    problem: `rollout ${/^\d{1,15}$/.test(id) ? id : "?"} cannot be read: ${problem}`,
  });
  const fields = stored.safeParse(hash);
  if (!fields.success) {
    const [issue] = fields.error.issues;
    return refuse(`its field ${issue?.path.join(".")} is malformed`);
  }
  const spec = specSchema.safeParse(parseJson(hash.spec));
  if (!spec.success) {
    const [issue] = spec.error.issues;
    return refuse(
      issue?.code === "unrecognized_keys"
        ? `a newer Serin started it (its spec has ${issue.keys.join(", ")})`
        : `its spec is malformed (${issue?.path.join(".")})`,
    );
  }
  const { steps } = spec.data.rollout;
  if (fields.data.step > steps.length) return refuse("it has no such step");
  return { position, rollout: { ...fields.data, spec: spec.data } };
}

/** The hash's fields, in turn with their values. */
export function encodeRollout(rollout: Partial<Rollout>): string[] {
  return Object.entries(rollout).flatMap(([name, value]) => [
    name,
    name === "spec"
      ? JSON.stringify(toFileTerms(value as Spec))
      : encode(value),
  ]);
}

function encode(value: unknown): string {
  if (value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
