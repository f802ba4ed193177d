import { expect } from "chai";
import { judgeLatency } from "../../../apps/monitor/control/judge-latency.js";
import { LatencyHistogram } from "../../../lib/telemetry/latency-histogram.js";
import { histogramOf, times } from "../../support/monitor/telemetry.js";

const RULE = {
  thresholdMs: 500,
  quantile: 0.95,
  windowMs: 10_000,
  minRequests: 5,
};

function judge(
  answeredMs: readonly number[],
  waitingMs: readonly number[] = [],
  rule = RULE,
) {
  const latency = new LatencyHistogram();
  latency.merge(histogramOf(answeredMs));
  return judgeLatency(latency, histogramOf(waitingMs), rule);
}

describe("latency judgement", () => {
  it("has no figures without requests", () => {
    expect(judge([])).to.deep.equal({
      isKnown: false,
      isBreach: false,
      figures: {
        quantile: 0.95,
        latencyMs: null,
        ...{ p50Ms: null, p95Ms: null, p99Ms: null },
        thresholdMs: 500,
        windowMs: 10_000,
        requests: 0,
        slow: 0,
        waiting: 0,
      },
    });
  });

  it("includes waiting requests in its percentiles", () => {
    const { figures } = judge(times(5, 4), times(5, 2000));
    expect(figures.p50Ms).to.be.below(5);
    expect(figures.p95Ms).to.equal(figures.latencyMs).and.be.above(1900);
    expect(figures.p99Ms).to.be.above(1900);
  });

  it("is a breach only with enough requests", () => {
    expect(judge(times(4, 1000)).isBreach).to.be.false;
    expect(judge(times(5, 1000)).isBreach).to.be.true;
    const one = { ...RULE, minRequests: 1 };
    expect(judge([1000], [], one).isBreach).to.be.true;
  });

  it("allows slow requests below the quantile", () => {
    expect(judge([...times(95, 4), ...times(5, 1000)]).isBreach).to.be.false;
    expect(judge([...times(95, 4), ...times(6, 1000)]).isBreach).to.be.true;
  });

  it("uses the rule's quantile", () => {
    const latencies = [...times(60, 4), ...times(40, 1000)];
    const at = (quantile: number) =>
      judge(latencies, [], { ...RULE, quantile }).isBreach;
    expect(at(0.5)).to.be.false;
    expect(at(0.7)).to.be.true;
    expect(at(1)).to.be.true;
  });

  it("is no breach at exactly the threshold", () => {
    // 512 ms is the edge of a bucket, so the p100 is exact.
    const rule = { ...RULE, quantile: 1, thresholdMs: 512 };
    expect(judge(times(5, 512), [], rule).isBreach).to.be.false;
    expect(judge(times(5, 513), [], rule).isBreach).to.be.true;
  });

  it("counts waiting requests with their age so far", () => {
    const { isBreach, figures } = judge([4, 4], [600, 2000, 2000]);
    expect(isBreach).to.be.true;
    expect(figures).to.include({ requests: 5, waiting: 3 });
    expect(figures.latencyMs).to.be.closeTo(2000, 100);
  });

  it("detects a canary that answers nothing", () => {
    expect(judge([], times(5, 1500)).isBreach).to.be.true;
    expect(judge([], times(4, 1500)).isBreach).to.be.false;
  });

  it("rounds the latency to a tenth of a millisecond", () => {
    const { latencyMs } = judge(times(7, 1000)).figures;
    expect(latencyMs).to.equal(Math.round(latencyMs! * 10) / 10);
    expect(latencyMs).to.be.closeTo(1000, 44);
  });

  it("shows a latency just above the threshold as above it", () => {
    // All in the bucket (490.3, 512]: the share of it below 500.01 ms.
    const lower = 512 * 2 ** (-1 / 16);
    const quantile = (500.01 - lower) / (512 - lower);
    const judgement = judge(times(9, 500), [], { ...RULE, quantile });
    expect(judgement.isBreach).to.be.true;
    expect(judgement.figures.latencyMs).to.equal(500.1);
  });
});
