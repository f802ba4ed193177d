import * as z from "zod";
import {
  routeVerdict,
  type RouteVerdict,
} from "../../../lib/telemetry/monitor-state.js";
import { notServed } from "./evidence/not-served.js";

export type { RouteVerdict };

const OUTCOMES = [
  "healthy",
  "insufficient",
  "split broken",
  "stopped",
  "warming",
  "worse",
] as const;

/**
 * `warming`: latency is not compared yet. `worse`: the evidence suffices to stop the canary. `healthy`: it does not, after
 * enough requests to find a canary that is slower by half, or as `wouldFind` says. `insufficient`: neither yet.
 * `split broken`: requests are not split in the configured ratio, so there is no comparison. `stopped`: the canary is out, and
 * the figures are of the time before.
 */
export type Outcome = (typeof OUTCOMES)[number];

const testedSide = z.object({ requests: z.number(), errors: z.number() });
export type TestedSide = z.infer<typeof testedSide>;

const figure = z.number().nullable();

/** Evidence is a likelihood ratio's natural logarithm: ln 100 is 100 : 1 for a worse canary. */
export const verdictReport = z.object({
  /** Null if there is nothing to compare, for the reason in `because`. */
  outcome: z.enum(OUTCOMES).nullable(),
  because: z.string().nullable(),
  evidence: z.number(),
  /** The evidence that stops the canary. */
  evidenceToStop: z.number(),
  /** Of all decks; without what is like a stall; and over the scatter. The smallest counts. */
  latency: z.object({
    raw: z.number(),
    trimmed: z.number(),
    guarded: z.number(),
  }),
  errors: z.number(),
  /** The route and status that weigh most, if answers that do not serve (400 to 498) weigh more than the rest. */
  notServed: notServed.nullable(),
  /** Evidence against the split's share. */
  split: z.number(),
  /**
   * The start in ms of the period that the figures cover, except the evidence. Null for the whole test, unless a restart's
   * evidence stops the canary.
   */
  since: figure,
  canary: testedSide,
  prod: testedSide,
  /** The estimated canary requests until a decision; 0 after it, null if unknown. */
  canaryRequestsNeeded: figure,
  /** How long they take at the present rate. */
  minutesNeeded: figure,
  /** How many times slower a canary is that would be found then: 1.5, or more where the tolerance hides that. */
  wouldFind: figure,
  routes: z.array(routeVerdict),
});
export type Verdict = z.infer<typeof verdictReport>;
