import { expect } from "chai";
import type { FailureKind } from "../../../apps/proxy/engines/engine.js";
import { decideRetry } from "../../../apps/proxy/exchange/retry.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";

/** Side, method, failure, whatever else is true of the attempt: the next step. */
const CASES = [
  // A kept-alive connection that ended just as it was used.
  "prod GET reset reused: same-fresh",
  "canary GET reset reused: same-fresh",
  "prod GET reset reused prodTried: same-fresh",
  "prod GET reset reused freshTried: give-up",
  "canary GET reset reused freshTried: prod",
  "prod POST reset reused: give-up",
  "prod GET reset reused hasBody: give-up",
  "prod GET reset: give-up",
  "prod GET bad-response reused: give-up",
  "prod GET response-timeout reused: give-up",
  // What was never sent may go to another URL of its side.
  "prod POST unreachable hasBody prodHasAnother: prod",
  "prod GET connect-timeout prodHasAnother: prod",
  "prod GET response-timeout prodHasAnother: give-up",
  "prod GET unreachable prodHasAnother prodTried: give-up",
  "prod GET unreachable canaryHasAnother: give-up",
  "canary POST unreachable hasBody canaryHasAnother: canary",
  "canary GET connect-timeout canaryHasAnother: canary",
  "canary GET reset canaryHasAnother: prod",
  "canary GET unreachable canaryHasAnother canaryTried: prod",
  // What the canary fails, prod answers.
  "canary POST unreachable hasBody prodHasAnother: prod",
  "canary POST connect-timeout hasBody: prod",
  "canary GET response-timeout hasBody: give-up",
  "canary GET response-timeout: prod",
  "canary GET bad-response: prod",
  "canary GET bad-response prodTried: give-up",
  // Only requests that are safe to repeat.
  "canary HEAD reset: prod",
  "canary OPTIONS reset: prod",
  "canary POST reset: give-up",
  "canary PUT reset: give-up",
  "canary PATCH reset: give-up",
  "canary DELETE reset: give-up",
  "canary get reset: give-up",
];

const UNTRIED = {
  hasBody: false,
  freshTried: false,
  canaryTried: false,
  canaryHasAnother: false,
  prodTried: false,
  prodHasAnother: false,
};

describe("proxy retry", () => {
  for (const row of CASES)
    it(row, () => {
      const [failed, next] = row.split(": ");
      const [side, method, kind, ...traits] = failed!.split(" ");
      const failure = {
        kind: kind as FailureKind,
        reusedConnection: traits.includes("reused"),
      };
      const are = Object.fromEntries(traits.map((trait) => [trait, true]));
      expect(
        decideRetry({
          ...UNTRIED,
          ...are,
          side: side as Side,
          method: method!,
          failure,
        }),
      ).to.equal(next);
    });
});
