import { expect } from "chai";
import { describeHarm } from "../../../apps/launcher/harm.js";
import { bucketOf } from "../../../lib/telemetry/latency-histogram.js";

/** A side's window: how many requests took how many ms, and what became of those that failed. */
function windowOf(
  target: "prod" | "canary",
  latency: Record<number, number>,
  { errors = 0, retried = 0, waiting = 0 } = {},
) {
  const sparse = Object.entries(latency).map(
    ([ms, count]): [number, number] => [bucketOf(Number(ms)), count],
  );
  const chosen = sparse.reduce((sum, [, count]) => sum + count, waiting);
  return {
    ...{ target, errors, latency: sparse, arms: { chosen, retried } },
    ...(waiting > 0 && {
      waiting: [[bucketOf(2000), waiting] as [number, number]],
    }),
  };
}
const PROD = windowOf("prod", { 10: 198, 40: 2 });

describe("harm of a stopped canary", () => {
  it("counts those who waited longer than at prod", () =>
    expect(
      describeHarm([
        windowOf("canary", { 310: 4 }),
        PROD,
        windowOf("canary", { 12: 32, 310: 5 }),
      ]),
    ).to.equal(
      "stopped after 41 canary requests · 9 users waited · prod untouched",
    ));

  it("counts those who still wait once", () => {
    const early = windowOf("canary", {}, { waiting: 3 });
    const late = windowOf("canary", {}, { waiting: 1 });
    expect(describeHarm([late, PROD, early])).to.match(/ · 1 user waited · /);
  });

  it("does not count errors that prod's answers have hidden", () => {
    const failing = windowOf("canary", { 2: 7 }, { errors: 7, retried: 5 });
    expect(describeHarm([failing, PROD])).to.equal(
      "stopped after 7 canary requests · 2 users got an error · prod answered 5 in its place · prod untouched",
    );
  });

  it("says when no user has noticed, and when prod failed too", () => {
    const hidden = windowOf("canary", { 2: 5 }, { errors: 5, retried: 5 });
    const prod = windowOf("prod", { 10: 100 }, { errors: 3 });
    expect(describeHarm([hidden, prod])).to.equal(
      "stopped after 5 canary requests · prod answered 5 in its place · no user noticed · prod failed 3 requests",
    );
  });
});
