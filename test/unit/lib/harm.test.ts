import { expect } from "chai";
import { countHarm, type HarmWindow } from "../../../lib/telemetry/harm.js";
import { describeHarm } from "../../../lib/wording/harm.js";
import { bucketOf } from "../../../lib/telemetry/latency-histogram.js";

/** A side's window: how many requests took how many ms, and what became of those that failed. */
function windowOf(
  target: "prod" | "canary",
  latency: Record<number, number>,
  { errors = 0, retried = 0, waiting = 0, source = "proxy" } = {},
) {
  const sparse = Object.entries(latency).map(
    ([ms, count]): [number, number] => [bucketOf(Number(ms)), count],
  );
  const chosen = sparse.reduce((sum, [, count]) => sum + count, waiting);
  const data = {
    ...{ target, errors, latency: sparse, arms: { chosen, retried } },
    ...(waiting > 0 && {
      waiting: [[bucketOf(2000), waiting] as [number, number]],
    }),
  };
  return { source, data };
}
const harmOf = (windows: HarmWindow[]) => describeHarm(countHarm(windows));
const PROD = windowOf("prod", { 10: 198, 40: 2 });

describe("harm of a stopped canary", () => {
  it("counts those who waited longer than at prod", () =>
    expect(
      harmOf([
        windowOf("canary", { 310: 4 }),
        PROD,
        windowOf("canary", { 12: 32, 310: 5 }),
      ]),
    ).to.equal("41 canary requests · 9 users waited · prod untouched"));

  it("counts those who still wait once", () => {
    const early = windowOf("canary", {}, { waiting: 3 });
    const late = windowOf("canary", {}, { waiting: 1 });
    expect(harmOf([late, PROD, early])).to.match(/ · 1 user waited · /);
  });

  it("counts those who wait at each proxy", () => {
    const [one, two] = ["edge1", "edge2"].map((source) =>
      windowOf("canary", {}, { waiting: 2, source }),
    );
    expect(harmOf([one!, PROD, two!])).to.match(/ · 4 users waited · /);
  });

  it("does not count errors that prod's answers have hidden", () => {
    const failing = windowOf("canary", { 2: 7 }, { errors: 7, retried: 5 });
    expect(harmOf([failing, PROD])).to.equal(
      "7 canary requests · 2 users got an error · prod answered 5 in its place · prod untouched",
    );
  });

  it("says when no user has noticed, and when prod failed too", () => {
    const hidden = windowOf("canary", { 2: 5 }, { errors: 5, retried: 5 });
    const prod = windowOf("prod", { 10: 100 }, { errors: 3 });
    expect(harmOf([hidden, prod])).to.equal(
      "5 canary requests · prod answered 5 in its place · no user noticed · prod failed 3 requests",
    );
  });
});
