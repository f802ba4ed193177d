/**
 * `worse`: the evidence suffices to stop the canary. `healthy`: it does not, although enough was seen to have found what
 * one cares about. `insufficient`: neither yet. `split broken`: the sides were not dealt as the split says, so nothing
 * follows.
 */
export type Outcome = "healthy" | "insufficient" | "worse" | "split broken";

/** Evidence is a likelihood ratio's natural logarithm: ln 100 is 100 : 1 for a worse canary. */
export interface Verdict {
  /** Null when there is nothing to go by, and `because` says why. */
  outcome: Outcome | null;
  because: string | null;
  evidence: number;
  /** With so much the canary is stopped. */
  evidenceToStop: number;
  latency: {
    /** Without the guard against bursts, and with it; the smaller one counts. */
    raw: number;
    guarded: number;
    blocks: number;
  };
  errors: number;
  /** Evidence against the split's share. */
  split: number;
  /**
   * What the figures are of, all but the evidence: of the whole test (null), or, when that is what the canary is stopped
   * for, of what came after this time in ms.
   */
  since: number | null;
  canary: TestedSide;
  prod: TestedSide;
  /** About how many more canary requests a decision needs; 0 once there is one, null when that is unknown. */
  canaryRequestsNeeded: number | null;
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
  /** Its own, by latency and without guard; 0 when it is not compared. */
  evidence: number;
  canaryRequests: number;
  prodRequests: number;
  canaryP50Ms: number | null;
  prodP50Ms: number | null;
  canaryP95Ms: number | null;
  prodP95Ms: number | null;
}
