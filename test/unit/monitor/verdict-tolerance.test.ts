import { expect } from "chai";
import {
  createCanaryBuckets,
  deflate,
  parseTolerance,
  toleranceAt,
} from "../../../apps/monitor/verdict/baseline/tolerance.js";
import {
  deckBucketOf,
  FINER,
  TOP_DECK_BUCKET,
} from "../../../lib/telemetry/decks.js";
import { bucketOf } from "../../../lib/telemetry/latency-histogram.js";

describe("verdict tolerance", () => {
  it("takes a canary’s latency as the lower edge of its deck's bucket, once", () => {
    const tolerance = { ratio: 0.1, ms: 5 };
    const buckets = createCanaryBuckets(tolerance);
    for (let fine = 400; fine < 1200; fine++) {
      const lowestMs = 0.0625 * 2 ** ((fine - 1) / 64) * 1.000001;
      expect(deckBucketOf(lowestMs)).to.equal(fine);
      expect(buckets[fine]).to.equal(bucketOf(deflate(lowestMs, tolerance)));
    }
  });

  it("moves no latency without a tolerance", () => {
    const buckets = createCanaryBuckets({ ratio: 0, ms: 0 });
    for (let fine = 0; fine <= TOP_DECK_BUCKET; fine++)
      expect(buckets[fine]).to.equal(Math.ceil(fine / FINER));
  });

  it("counts within the tolerance in the lowest bucket", () => {
    const buckets = createCanaryBuckets({ ratio: 0.1, ms: 5 });
    expect(buckets[deckBucketOf(5)]).to.equal(0);
    expect(buckets[deckBucketOf(40)]).to.be.above(0);
  });

  it("is at most half of what prod takes", () => {
    const tolerance = { ratio: 0.1, ms: 5 };
    expect(toleranceAt(tolerance, 100)).to.deep.equal(tolerance);
    expect(toleranceAt(tolerance, 3).ms).to.equal(1.5);
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
