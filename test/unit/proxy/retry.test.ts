import { expect } from "chai";
import type { FailureKind } from "../../../apps/proxy/engines/engine.js";
import {
  decideRetry,
  type FailedAttempt,
  type NextStep,
} from "../../../apps/proxy/exchange/retry.js";

const KINDS: readonly FailureKind[] = [
  "unreachable",
  "connect-timeout",
  "response-timeout",
  "reset",
  "bad-response",
];
const NEVER_SENT: readonly FailureKind[] = ["unreachable", "connect-timeout"];
const REQUESTS = [
  { method: "GET", hasBody: false, repeatable: true },
  { method: "HEAD", hasBody: false, repeatable: true },
  { method: "OPTIONS", hasBody: false, repeatable: true },
  { method: "GET", hasBody: true, repeatable: false },
  { method: "OPTIONS", hasBody: true, repeatable: false },
  { method: "POST", hasBody: true, repeatable: false },
  { method: "POST", hasBody: false, repeatable: false },
  { method: "PUT", hasBody: true, repeatable: false },
  { method: "PATCH", hasBody: true, repeatable: false },
  { method: "DELETE", hasBody: false, repeatable: false },
  { method: "get", hasBody: false, repeatable: false },
] as const;

function next(
  attempt: Partial<FailedAttempt> & { kind: FailureKind; reused?: boolean },
): NextStep {
  const { kind, reused, ...rest } = attempt;
  return decideRetry({
    side: "prod",
    failure: { kind, reusedConnection: reused ?? false },
    method: "GET",
    hasBody: false,
    freshTried: false,
    canaryTried: false,
    canaryHasAnother: false,
    prodTried: false,
    prodHasAnother: false,
    ...rest,
  });
}

describe("proxy retry", () => {
  for (const { method, hasBody, repeatable } of REQUESTS) {
    const request = { method, hasBody };
    const title = `${method} ${hasBody ? "with" : "without"} a body`;

    for (const kind of KINDS) {
      const neverSent = NEVER_SENT.includes(kind);

      const rescue = neverSent || repeatable ? "prod" : "give-up";
      it(`${title} that the canary fails by ${kind}: ${rescue}`, () =>
        expect(next({ ...request, kind, side: "canary" })).to.equal(rescue));

      const sibling = neverSent ? "canary" : rescue;
      it(`${title} that one of two canary URLs fails by ${kind}: ${sibling}`, () =>
        expect(
          next({ ...request, kind, side: "canary", canaryHasAnother: true }),
        ).to.equal(sibling));

      it(`${title} that both canary URLs fail by ${kind}: ${rescue}`, () =>
        expect(
          next({
            ...request,
            kind,
            side: "canary",
            canaryHasAnother: true,
            canaryTried: true,
          }),
        ).to.equal(rescue));

      const another = neverSent ? "prod" : "give-up";
      it(`${title} that one of two prod URLs fails by ${kind}: ${another}`, () =>
        expect(next({ ...request, kind, prodHasAnother: true })).to.equal(
          another,
        ));

      it(`${title} that the only prod URL fails by ${kind}: give-up`, () =>
        expect(next({ ...request, kind })).to.equal("give-up"));

      it(`${title} that prod fails by ${kind} in the canary's place: give-up`, () =>
        expect(
          next({ ...request, kind, prodTried: true, prodHasAnother: true }),
        ).to.equal("give-up"));
    }

    for (const side of ["prod", "canary"] as const) {
      const fresh = repeatable ? "same-fresh" : "give-up";
      it(`${title} reset on a reused ${side} connection: ${fresh}`, () =>
        expect(
          next({ ...request, side, kind: "reset", reused: true }),
        ).to.equal(fresh));
    }
  }

  it("repeats on a fresh connection only once", () => {
    const again = { kind: "reset", reused: true, freshTried: true } as const;
    expect(next({ ...again, side: "canary" })).to.equal("prod");
    expect(next({ ...again, side: "prod" })).to.equal("give-up");
  });

  it("repeats on a fresh connection only what was reset, not what was answered badly or late", () => {
    for (const kind of ["bad-response", "response-timeout"] as const)
      expect(next({ kind, reused: true })).to.equal("give-up");
  });

  it("repeats a reset on a reused prod connection also in the canary's place", () =>
    expect(next({ kind: "reset", reused: true, prodTried: true })).to.equal(
      "same-fresh",
    ));
});
