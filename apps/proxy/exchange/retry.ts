import type { Side } from "../../../lib/telemetry/telemetry.js";
import type { Failure } from "../engines/engine.js";

/** Methods that are safe to repeat without a body (RFC 9110 9.2.1). */
const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

export interface FailedAttempt {
  side: Side;
  failure: Pick<Failure, "kind" | "reusedConnection">;
  method: string;
  hasBody: boolean;
  /** The steps that were taken before. */
  taken: readonly NextStep[];
  /** Whether a side has more than one URL. */
  hasAnother: Readonly<Record<Side, boolean>>;
}

/** Another attempt on a fresh connection to the same URL, one at another URL of a side, or none. */
export type NextStep = "same-fresh" | Side | "give-up";

/**
 * Decides how a request continues whose upstream gave no response. Each step is taken at most once for a request.
 *
 * - A kept-alive connection that was closed just as it was reused says nothing about the upstream: a safe request is
 *   repeated there on a fresh connection (RFC 9112 9.3.1).
 * - A request that did not reach one URL of a side may go to another: an instance that restarts is no failure of its side.
 * - If the canary fails, prod answers a request that is safe to repeat or was never sent.
 */
export function decideRetry(attempt: FailedAttempt): NextStep {
  const { side, failure, taken } = attempt;
  const isRepeatable = SAFE_METHODS.has(attempt.method) && !attempt.hasBody;
  const neverSent =
    failure.kind === "unreachable" || failure.kind === "connect-timeout";

  if (
    failure.kind === "reset" &&
    failure.reusedConnection &&
    isRepeatable &&
    !taken.includes("same-fresh")
  )
    return "same-fresh";
  if (neverSent && attempt.hasAnother[side] && !taken.includes(side))
    return side;
  const isRescuable = side === "canary" && (isRepeatable || neverSent);
  return isRescuable && !taken.includes("prod") ? "prod" : "give-up";
}
