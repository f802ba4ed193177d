import { expect } from "chai";
import { retryDelayMs } from "../../../apps/monitor/alert/retry-delay.js";

const LIMITS = { firstMs: 1000, maxMs: 60_000 };

describe("the wait before a mail is tried again", () => {
  it("doubles from the first up to the longest", () => {
    const waits = [1, 2, 3, 6, 7, 8, 2000].map((failures) =>
      retryDelayMs(failures, LIMITS, 1),
    );
    expect(waits).to.deep.equal([
      1000, 2000, 4000, 32_000, 60_000, 60_000, 60_000,
    ]);
  });

  it("is left to chance for a half", () => {
    expect(retryDelayMs(1, LIMITS, 0)).to.equal(500);
    expect(retryDelayMs(1, LIMITS, 0.5)).to.equal(750);
  });
});
