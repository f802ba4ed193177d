import { expect } from "chai";
import {
  LatencyHistogram,
  TOP_BUCKET,
  bucketOf,
  upperEdgeMs,
} from "../../../lib/telemetry/latency-histogram.js";

/** The documented upper edge. */
const edge = (f: number) => 2 ** (f / 16 - 4);
const justAbove = (ms: number) => ms * (1 + 2 ** -40);
const justBelow = (ms: number) => ms * (1 - 2 ** -40);

describe("latency histogram buckets", () => {
  it("end with each of the 319 edges, which belongs to the bucket below it", () => {
    for (let f = 0; f < TOP_BUCKET; f++) {
      expect(bucketOf(justBelow(edge(f))), `below edge ${f}`).to.equal(f);
      expect(bucketOf(edge(f)), `edge ${f}`).to.equal(f);
      expect(bucketOf(justAbove(edge(f))), `above edge ${f}`).to.equal(f + 1);
    }
  });

  for (const [latencyMs, bucket] of [
    [0, 0],
    [Number.MIN_VALUE, 0],
    [0.0625, 0],
    [0.0626, 1],
    [1, 64],
    [500, 208],
    [512, 208],
    [513, 209],
    [60_000, 318],
    [62_757, 319],
    [62_758, 320],
    [65_536, 320],
    [Number.MAX_VALUE, 320],
    [Infinity, 320],
  ] as const) {
    it(`hold ${latencyMs} ms in bucket ${bucket}`, () => {
      expect(bucketOf(latencyMs)).to.equal(bucket);
    });
  }

  it("count a small step back of the clock as 0 ms", () => {
    expect(bucketOf(-0.001)).to.equal(0);
  });

  it("have the documented edges", () => {
    expect(upperEdgeMs(0)).to.equal(0.0625);
    expect(upperEdgeMs(64)).to.equal(1);
    expect(upperEdgeMs(208)).to.equal(512);
    expect(upperEdgeMs(319)).to.equal(edge(319));
    expect(upperEdgeMs(320)).to.equal(edge(319));
  });

  it("are listed in ascending order, without empty ones", () => {
    const histogram = new LatencyHistogram();
    for (const latencyMs of [100_000, 1, 0.01, 1]) histogram.record(latencyMs);
    expect(histogram.toSparse()).to.deep.equal([
      [0, 1],
      [64, 2],
      [320, 1],
    ]);
    expect(histogram.total).to.equal(4);
  });

  it("merge into the same sum in any order", () => {
    const parts = [
      [[3, 1]],
      [
        [3, 2],
        [320, 5],
      ],
      [],
      [[0, 7]],
    ] as [number, number][][];
    const merged = (order: typeof parts) => {
      const histogram = new LatencyHistogram();
      for (const part of order) histogram.merge(part);
      return histogram;
    };
    const expected = [
      [0, 7],
      [3, 3],
      [320, 5],
    ];
    expect(merged(parts).toSparse()).to.deep.equal(expected);
    expect(merged(parts.toReversed()).toSparse()).to.deep.equal(expected);
    expect(merged(parts).total).to.equal(15);
  });

  it("are all empty after a clear", () => {
    const histogram = new LatencyHistogram();
    histogram.record(5);
    histogram.clear();
    expect(histogram.toSparse()).to.be.empty;
    expect(histogram.total).to.equal(0);
    expect(histogram.quantile(0.5)).to.be.undefined;
  });
});
