import { expect } from "chai";
import { excessHarm } from "../../../apps/monitor/rollout/excess-harm.js";
import { LatencyHistogram } from "../../../lib/telemetry/latency-histogram.js";
import { histogramOf } from "../../support/monitor/telemetry.js";

const TOLERANCE = { ratio: 0.1, ms: 5 };

function requests(latenciesMs: number[], failed = 0) {
  const latency = new LatencyHistogram();
  latency.merge(histogramOf(latenciesMs));
  return { requests: latenciesMs.length, failed, latency };
}

const times = (count: number, ms: number) => Array<number>(count).fill(ms);
const usual = [...times(990, 200), ...times(10, 2000)];

describe("harm", () => {
  const harm = (canary: ReturnType<typeof requests>, prod = requests(usual)) =>
    excessHarm(canary, prod, TOLERANCE);

  it("is none of a canary like prod", () => {
    expect(harm(requests(usual))).to.equal(0);
    expect(harm(requests(times(50, 215)))).to.equal(0);
  });

  it("counts what fails and what is slow beyond prod's rate", () => {
    expect(harm(requests(times(100, 200), 7))).to.equal(7);
    expect(harm(requests(times(100, 200), 7), requests(usual, 20))).to.equal(5);
    const slow = requests(times(100, 5000));
    // Prod is as slow once in a hundred requests.
    expect(harm(slow)).to.equal(99);
  });

  it("ignores what nobody notices", () => {
    const prod = requests(times(100, 2));
    expect(excessHarm(requests(times(100, 90)), prod, TOLERANCE)).to.equal(0);
    expect(excessHarm(requests(times(100, 150)), prod, TOLERANCE)).to.equal(
      100,
    );
  });
});
