import { expect } from "chai";
import {
  addedRatiosTo,
  addedTo,
  ratiosTo,
} from "../../../bench/compare/ranges.js";
import { rangeOf } from "../../../bench/statistics.js";

describe("ranges over benchmark rounds", () => {
  it("consist of minimum, median and maximum, rounded to hundredths", () => {
    expect(rangeOf([3, 1.005, 2, 9])).to.deep.equal({
      min: 1,
      median: 2.5,
      max: 9,
      rounds: 4,
    });
    expect(rangeOf([])).to.equal(null);
  });

  it("compare products within each round", () => {
    const rounds = [
      { nginx: 10, own: 20 },
      { nginx: 100, own: 150 },
      { nginx: 10, own: 30 },
    ];
    expect(ratiosTo("nginx", "own", rounds)).to.deep.equal({
      min: 1.5,
      median: 2,
      max: 3,
      rounds: 3,
    });
    expect(ratiosTo("nginx", "unknown", rounds)).to.equal(null);
  });

  it("compare the time added to a direct request", () => {
    const rounds = [
      { direct: 40, nginx: 60, own: 80 },
      { direct: 40, nginx: 50, own: 70 },
      { direct: 40, nginx: 30, own: 70 },
    ];
    const added = addedTo("direct", "own", rounds);
    expect(added).to.deep.equal({ min: 30, median: 30, max: 40, rounds: 3 });
    const range = addedRatiosTo("nginx", "own", rounds, "direct");
    expect(range).to.deep.equal({ min: 2, median: 2.5, max: 3, rounds: 2 });
  });

  it("are null when the base adds no time in most rounds", () => {
    const nothing = { direct: 40, nginx: 40, own: 80 };
    const something = { direct: 40, nginx: 60, own: 80 };
    const rounds = [nothing, something];
    expect(addedRatiosTo("nginx", "own", rounds, "direct")).to.equal(null);
  });
});
