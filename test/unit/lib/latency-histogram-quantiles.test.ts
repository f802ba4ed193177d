import { expect } from "chai";
import {
  LatencyHistogram,
  bucketOf,
  upperEdgeMs,
} from "../../../lib/telemetry/latency-histogram.js";
import { times } from "../../support/monitor/telemetry.js";
import { createSeededRandom } from "../../support/seeded-random.js";

function histogramOf(latenciesMs: readonly number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const latencyMs of latenciesMs) histogram.record(latencyMs);
  return histogram;
}

/** The smallest value that at least the share `q` of all does not exceed. */
function exactQuantile(latenciesMs: readonly number[], q: number): number {
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!;
}

describe("latency histogram quantiles", () => {
  it("do not exist without latencies", () => {
    expect(new LatencyHistogram().quantile(0.95)).to.be.undefined;
  });

  it("divide a bucket evenly among the latencies in it", () => {
    // All in (0.9576 ms, 1 ms], the bucket below the edge of 1 ms.
    const histogram = histogramOf([1, 1, 1, 1]);
    const lower = 2 ** (-1 / 16);
    for (const [q, share] of [
      [0, 0],
      [0.25, 0.25],
      [0.5, 0.5],
      [0.95, 0.95],
      [1, 1],
    ] as const)
      expect(histogram.quantile(q)).to.be.closeTo(
        lower + share * (1 - lower),
        1e-12,
      );
  });

  it("start the first bucket at 0", () => {
    expect(histogramOf([0, 0.01]).quantile(0.5)).to.equal(0.03125);
  });

  it("return the lower edge of the open top bucket", () => {
    const slow = histogramOf([100_000, 200_000]);
    expect(slow.quantile(0.5)).to.equal(upperEdgeMs(319));
    expect(slow.quantile(1)).to.equal(upperEdgeMs(319));
  });

  it("skip empty buckets between two groups", () => {
    // Ranks to 90 lie in 4 ms's bucket (3.83, 4], those above in 1,024 ms's (980.6, 1,024].
    const histogram = new LatencyHistogram();
    histogram.add(bucketOf(4), 90);
    histogram.add(bucketOf(1024), 10);
    const lower = 1024 * 2 ** (-1 / 16);
    expect(histogram.quantile(0.9)).to.be.closeTo(4, 1e-12);
    expect(histogram.quantile(0.95)).to.be.closeTo(
      lower + 0.5 * (1024 - lower),
      1e-9,
    );
  });

  it("include slow latencies at p95 only above five in a hundred", () => {
    const fast = Array.from({ length: 95 }, () => 4);
    const slow = (count: number) => Array.from({ length: count }, () => 1000);
    expect(histogramOf([...fast, ...slow(5)]).quantile(0.95)).to.be.below(5);
    expect(histogramOf([...fast, ...slow(6)]).quantile(0.95)).to.be.above(900);
  });

  it("grow with q and lie in the bucket of the exact quantile", () => {
    const random = createSeededRandom(20_260_301);
    for (let round = 0; round < 200; round++) {
      const octaves = 1 + random() * 24;
      const latenciesMs = Array.from(
        { length: 1 + Math.floor(random() * 300) },
        () => 2 ** (random() * octaves - 5),
      );
      const histogram = histogramOf(latenciesMs);
      let previous = 0;
      for (const q of [0, 0.01, 0.5, 0.9, 0.95, 0.99, 1]) {
        const found = histogram.quantile(q)!;
        const bucket = bucketOf(exactQuantile(latenciesMs, q));
        const context = `round ${round}, q ${q}`;
        expect(found, context).to.be.at.least(previous);
        expect(found, context).to.be.within(
          bucket === 0 ? 0 : upperEdgeMs(bucket - 1),
          upperEdgeMs(bucket),
        );
        previous = found;
      }
    }
  });

  it("have intervals that hold the true quantile in about 95 of 100 samples", () => {
    const random = createSeededRandom(20_261_201);
    for (const q of [0.5, 0.95]) {
      const trueMs = 2 ** (4 * q);
      let held = 0;
      for (let sample = 0; sample < 400; sample++) {
        const latenciesMs = times(400, 0).map(() => 2 ** (4 * random()));
        const [from, to] = histogramOf(latenciesMs).interval(q)!;
        if (from <= trueMs && trueMs <= to) held++;
      }
      expect(held / 400, `q ${q}`).to.be.within(0.92, 0.99);
    }
  });

  it("have no interval with too few latencies", () => {
    expect(histogramOf([]).interval(0.5)).to.equal(undefined);
    expect(histogramOf([1, 2, 3]).interval(0.5)).to.equal(undefined);
    expect(histogramOf(times(50, 4)).interval(0.99)).to.equal(undefined);
    expect(histogramOf(times(50, 4)).interval(0.5)).to.have.length(2);
  });
});
