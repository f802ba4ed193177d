import { USUAL_MINUTES, USUAL_WEIGHTS } from "../plan/planner.js";
import * as z from "zod";
import { specSchema } from "../../../lib/rollout/spec.js";
import { EVENT_KINDS } from "../../../lib/flag/ledger-event.js";

const DEFAULT_EVENTS = 50;
const MAX_EVENTS = 1000;

export const flipBody = z.strictObject({
  value: z.union([z.boolean(), z.literal("toggle")]),
  reason: z.string().trim().min(1).max(500).optional(),
});
export const FLIP_BODY_HELP =
  'send {"value": true | false | "toggle", "reason": "1 to 500 characters, optional"}';

const reason = z.string().trim().min(1).max(500).optional();
const release = z.string().trim().min(1).max(200);

/** What `POST /api/rollout/<verb>` takes. */
export const rolloutBodies = {
  start: z.strictObject({
    candidate: release,
    stable: release,
    spec: specSchema.prefault({}),
    reason,
  }),
  promote: z.strictObject({ full: z.boolean().optional(), reason }),
  pause: z.strictObject({ reason }),
  resume: z.strictObject({ reason }),
  abort: z.strictObject({ reason }),
  retry: z.strictObject({ reason }),
  checked: z.strictObject({ passed: z.boolean(), reason }),
};
export type RolloutVerb = keyof typeof rolloutBodies;

const LIMIT_HELP = `limit must be a whole number from 1 to ${MAX_EVENTS}`;
const AFTER_HELP = "after must be an event id such as 1700000000000-0";
export const eventsQuery = z.object({
  limit: z
    .string(LIMIT_HELP)
    .regex(/^\d{1,4}$/, LIMIT_HELP)
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= MAX_EVENTS, LIMIT_HELP)
    .default(DEFAULT_EVENTS),
  kind: z
    .enum(EVENT_KINDS, `kind must be one of ${EVENT_KINDS.join(", ")}`)
    .optional(),
  after: z
    .string(AFTER_HELP)
    .regex(/^\d{1,15}(-\d{1,15})?$/, AFTER_HELP)
    .optional(),
});

const MINUTES_HELP = "minutes must be a number from 1 to 9999";
const WEIGHTS_HELP =
  "weights must be up to 10 percentages, above 0 and below 100, with at most two decimals, such as 2,7.5,25";
export const planQuery = z.object({
  minutes: z.coerce
    .number(MINUTES_HELP)
    .min(1, MINUTES_HELP)
    .max(9999, MINUTES_HELP)
    .default(USUAL_MINUTES),
  weights: z
    .string(WEIGHTS_HELP)
    .regex(/^\d{1,2}(\.\d{1,2})?(,\d{1,2}(\.\d{1,2})?){0,9}$/, WEIGHTS_HELP)
    .transform((text) => text.split(",").map(Number))
    .refine((weights) => weights.every((weight) => weight > 0), WEIGHTS_HELP)
    .default([...USUAL_WEIGHTS]),
});
