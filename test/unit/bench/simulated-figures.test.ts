import { expect } from "chai";
import { describeStops, upperBound } from "../../../bench/simulate/figures.js";

describe("figures of the simulation", () => {
  it("have the upper bound of Clopper and Pearson for a share", () => {
    expect(upperBound(0, 100)).to.be.closeTo(0.02951, 1e-5);
    expect(upperBound(1, 100)).to.be.closeTo(0.04656, 1e-5);
    expect(upperBound(5, 50)).to.be.closeTo(0.19883, 1e-5);
    expect(upperBound(7, 7)).to.equal(1);
  });

  it("count releases that were never stopped as later than all", () => {
    const stops = [...[10, 20, 30].map(stopAfter), undefined, undefined];
    const { count, of, median, p90 } = describeStops(stops, false);
    expect({ count, of, median, p90 }).to.deep.equal({
      ...{ count: 3, of: 5, median: 30, p90: null },
    });
  });

  it("leave out releases that were stopped before they became worse", () => {
    const stops = [-5, 0, 10].map(stopAfter);
    expect(describeStops(stops, false)).to.include({ count: 1, of: 1 });
    expect(describeStops(stops, true)).to.include({ count: 3, of: 3 });
  });

  it("bound the median by an order statistic", () => {
    const stops = Array.from({ length: 100 }, (_, i) => stopAfter(i + 1));
    const { median, upToMedian } = describeStops(stops, false);
    // P(Bin(100, 1/2) ≤ 58) is 0.956, and 0.933 up to 57.
    expect([median, upToMedian]).to.deep.equal([50, 59]);
  });
});

function stopAfter(requests: number) {
  return { requests, seconds: requests / 25 };
}
