import { expect } from "chai";
import { bucketOfFine } from "../../../apps/monitor/verdict/evidence/buckets.js";
import {
  createCanaryBuckets,
  deflate,
  parseTolerance,
} from "../../../apps/monitor/verdict/tolerance.js";
import {
  bucketOf,
  upperEdgeMs,
} from "../../../lib/telemetry/latency-histogram.js";

describe("verdict tolerance", () => {
  it("takes a canary’s latency as the lower edge of its bucket", () => {
    const tolerance = { ratio: 0.1, ms: 5 };
    const buckets = createCanaryBuckets(tolerance);
    for (let fine = 100; fine < 300; fine++) {
      const lowestMs = upperEdgeMs(fine - 1) * 1.000001;
      expect(bucketOf(lowestMs)).to.equal(fine);
      expect(buckets[fine]).to.equal(
        bucketOfFine(bucketOf(deflate(lowestMs, tolerance))),
      );
    }
  });

  it("counts within the tolerance in the lowest bucket", () => {
    const buckets = createCanaryBuckets({ ratio: 0.1, ms: 5 });
    expect(buckets[bucketOf(5)]).to.equal(0);
    expect(buckets[bucketOf(40)]).to.be.above(0);
  });

  for (const [text, tolerance] of [
    ["10%+5ms", { ratio: 0.1, ms: 5 }],
    ["0%+0ms", { ratio: 0, ms: 0 }],
    ["2.5%+0.25ms", { ratio: 0.025, ms: 0.25 }],
    ["1000%+3600000ms", { ratio: 10, ms: 3_600_000 }],
    ["1001%+0ms", undefined],
    ["0%+3600001ms", undefined],
    ["10%", undefined],
    ["10+5", undefined],
    ["-1%+5ms", undefined],
    ["10% + 5ms", undefined],
    ["1e2%+5ms", undefined],
    ["", undefined],
  ] as const)
    it(`reads ${JSON.stringify(text)} as ${tolerance === undefined ? "no tolerance" : JSON.stringify(tolerance)}`, () => {
      expect(parseTolerance(text)).to.deep.equal(tolerance);
    });
});
