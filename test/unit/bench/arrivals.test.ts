import { expect } from "chai";
import { arrivalsMs } from "../../../bench/compare/arrivals.js";
import { stalledQuantileMs } from "../../../bench/compare/stall.js";
import { createSeededRandom } from "../../support/seeded-random.js";

describe("open-loop arrivals", () => {
  it("are evenly spaced at a fixed rate", () => {
    const even = arrivalsMs({
      law: "fixed",
      requestsPerSecond: 4,
      seconds: 1.1,
      random: () => 0.5,
    });
    expect([...even]).to.deep.equal([250, 500, 750, 1000]);
  });

  it("have exponential gaps at a Poisson rate", () => {
    const arrivals = [
      ...arrivalsMs({
        law: "poisson",
        requestsPerSecond: 1000,
        seconds: 20,
        random: createSeededRandom(7),
      }),
    ];
    const gaps = arrivals.map((atMs, i) => atMs - (arrivals[i - 1] ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const squares = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0);
    expect(mean).to.be.closeTo(1, 0.03);
    expect(Math.sqrt(squares / gaps.length)).to.be.closeTo(1, 0.05);
  });
});

describe("latency quantiles of a stalled server", () => {
  it("equal the waits of requests that arrive during the stall", () => {
    const stall = { seconds: 6, stallSeconds: 1 };
    expect(stalledQuantileMs(0.5, stall)).to.equal(0);
    expect(stalledQuantileMs(0.9, stall)).to.be.closeTo(400, 1e-6);
    expect(stalledQuantileMs(0.99, stall)).to.be.closeTo(940, 1e-6);
  });
});
