import type { Side } from "../../../lib/telemetry/telemetry.js";
import type { Failure } from "../engines/engine.js";

/** Methods that are safe to repeat without a body (RFC 9110 9.2.1). */
const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

export interface FailedAttempt {
  side: Side;
  failure: Pick<Failure, "kind" | "reusedConnection">;
  method: string;
  hasBody: boolean;
  /** Whether the request was repeated on a fresh connection. */
  freshTried: boolean;
  /** Whether the request was sent to another canary URL after a failure. */
  canaryTried: boolean;
  /** Whether the canary has more than one URL. */
  canaryHasAnother: boolean;
  /** Whether the request was sent to prod, or to another prod URL, after a failure. */
  prodTried: boolean;
  /** Whether prod has more than one URL. */
  prodHasAnother: boolean;
}

export type NextStep = "same-fresh" | "canary" | "prod" | "give-up";

/**
 * Decides how a request continues whose upstream gave no response. Each step is taken at most once for a request.
 *
 * - A kept-alive connection that was closed just as it was reused says nothing about the upstream: a safe request is
 *   repeated there on a fresh connection (RFC 9112 9.3.1).
 * - A request that did not reach one URL of a side may go to another: an instance that restarts is no failure of its side.
 * - If the canary fails, prod answers a request that is safe to repeat or was never sent.
 */
export function decideRetry(attempt: FailedAttempt): NextStep {
  const { side, failure } = attempt;
  const isRepeatable = SAFE_METHODS.has(attempt.method) && !attempt.hasBody;
  const neverSent =
    failure.kind === "unreachable" || failure.kind === "connect-timeout";

  if (
    failure.kind === "reset" &&
    failure.reusedConnection &&
    isRepeatable &&
    !attempt.freshTried
  )
    return "same-fresh";
  if (neverSent && hasUntriedSibling(attempt)) return side;
  const isRescuable = side === "canary" && (isRepeatable || neverSent);
  return isRescuable && !attempt.prodTried ? "prod" : "give-up";
}

function hasUntriedSibling(attempt: FailedAttempt): boolean {
  return attempt.side === "canary"
    ? attempt.canaryHasAnother && !attempt.canaryTried
    : attempt.prodHasAnother && !attempt.prodTried;
}
