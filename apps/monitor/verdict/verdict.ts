import type { NotServed } from "./evidence/not-served.js";

/**
 * `warming`: latency is not compared yet. `worse`: the evidence suffices to stop the canary. `healthy`: it does not, after
 * enough requests to find a canary that is slower by half, or as `wouldFind` says. `insufficient`: neither yet.
 * `split broken`: requests are not split in the configured ratio, so there is no comparison. `stopped`: the canary is out, and
 * the figures are of the time before.
 */
export type Outcome =
  "healthy" | "insufficient" | "split broken" | "stopped" | "warming" | "worse";

/** Evidence is a likelihood ratio's natural logarithm: ln 100 is 100 : 1 for a worse canary. */
export interface Verdict {
  /** Null if there is nothing to compare, for the reason in `because`. */
  outcome: Outcome | null;
  because: string | null;
  evidence: number;
  /** The evidence that stops the canary. */
  evidenceToStop: number;
  latency: {
    /** Of all decks; without what is like a stall; and over the scatter. The smallest counts. */
    raw: number;
    trimmed: number;
    guarded: number;
  };
  errors: number;
  /** The route and status that weigh most, if answers that do not serve (400 to 498) weigh more than the rest. */
  notServed: NotServed | null;
  /** Evidence against the split's share. */
  split: number;
  /**
   * The start in ms of the period that the figures cover, except the evidence. Null for the whole test, unless a restart's
   * evidence stops the canary.
   */
  since: number | null;
  canary: TestedSide;
  prod: TestedSide;
  /** The estimated canary requests until a decision; 0 after it, null if unknown. */
  canaryRequestsNeeded: number | null;
  /** How long they take at the present rate. */
  minutesNeeded: number | null;
  /** How many times slower a canary is that would be found then: 1.5, or more where the tolerance hides that. */
  wouldFind: number | null;
  routes: RouteVerdict[];
}

export interface TestedSide {
  requests: number;
  errors: number;
}

export interface RouteVerdict {
  route: string;
  /** Null when it is compared. */
  because: string | null;
  /** By latency and without the guard; 0 when it is not compared. */
  evidence: number;
  canaryRequests: number;
  prodRequests: number;
  canaryP50Ms: number | null;
  prodP50Ms: number | null;
  canaryP95Ms: number | null;
  prodP95Ms: number | null;
}
