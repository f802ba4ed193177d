import { expect } from "chai";
import { backOffMs } from "../../../lib/program/back-off.js";

const LIMITS = { firstMs: 1000, maxMs: 60_000 };

describe("back-off", () => {
  it("doubles from the first delay to the maximum", () => {
    const waits = [1, 2, 3, 6, 7, 8, 2000].map((failures) =>
      backOffMs(failures, LIMITS),
    );
    expect(waits).to.deep.equal([
      1000, 2000, 4000, 32_000, 60_000, 60_000, 60_000,
    ]);
  });

  it("varies half of the delay at random", () => {
    expect(backOffMs(1, LIMITS, 0)).to.equal(500);
    expect(backOffMs(1, LIMITS, 0.5)).to.equal(750);
  });
});
