import { expect } from "chai";
import type { FailureKind } from "../../../apps/proxy/engines/engine.js";
import { decideRetry } from "../../../apps/proxy/exchange/retry.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";

const STEPS = ["same-fresh", "canary", "prod"] as const;

/** Side, method, failure, whatever else is true of the attempt: the next step. */
const CASES = [
  // A kept-alive connection that ended just as it was used.
  "prod GET reset reused: same-fresh",
  "canary GET reset reused: same-fresh",
  "prod GET reset reused prod-taken: same-fresh",
  "prod GET reset reused same-fresh-taken: give-up",
  "canary GET reset reused same-fresh-taken: prod",
  "prod POST reset reused: give-up",
  "prod GET reset reused hasBody: give-up",
  "prod GET reset: give-up",
  "prod GET bad-response reused: give-up",
  "prod GET response-timeout reused: give-up",
  // What was never sent may go to another URL of its side.
  "prod POST unreachable hasBody prod-another: prod",
  "prod GET connect-timeout prod-another: prod",
  "prod GET response-timeout prod-another: give-up",
  "prod GET unreachable prod-another prod-taken: give-up",
  "prod GET unreachable canary-another: give-up",
  "canary POST unreachable hasBody canary-another: canary",
  "canary GET connect-timeout canary-another: canary",
  "canary GET reset canary-another: prod",
  "canary GET unreachable canary-another canary-taken: prod",
  // What the canary fails, prod answers.
  "canary POST unreachable hasBody prod-another: prod",
  "canary POST connect-timeout hasBody: prod",
  "canary GET response-timeout hasBody: give-up",
  "canary GET response-timeout: prod",
  "canary GET bad-response: prod",
  "canary GET bad-response prod-taken: give-up",
  // Only requests that are safe to repeat.
  "canary HEAD reset: prod",
  "canary OPTIONS reset: prod",
  "canary POST reset: give-up",
  "canary PUT reset: give-up",
  "canary PATCH reset: give-up",
  "canary DELETE reset: give-up",
  "canary get reset: give-up",
];

describe("proxy retry", () => {
  for (const row of CASES)
    it(row, () => {
      const [failed, next] = row.split(": ");
      const [side, method, kind, ...traits] = failed!.split(" ");
      const failure = {
        kind: kind as FailureKind,
        reusedConnection: traits.includes("reused"),
      };
      expect(
        decideRetry({
          side: side as Side,
          failure,
          method: method!,
          hasBody: traits.includes("hasBody"),
          taken: STEPS.filter((step) => traits.includes(`${step}-taken`)),
          hasAnother: {
            prod: traits.includes("prod-another"),
            canary: traits.includes("canary-another"),
          },
        }),
      ).to.equal(next);
    });
});
