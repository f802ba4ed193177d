import { expect } from "chai";
import {
  countEarlyEnds,
  restartDelayMs,
} from "../../../apps/proxy/workers/worker-pool.js";

describe("proxy worker restart", () => {
  it("doubles its delay with each early end in a row, up to ten seconds", () => {
    const delays = [1, 2, 3, 7, 8, 9, 1000].map(restartDelayMs);
    expect(delays).to.deep.equal([100, 200, 400, 6400, 10_000, 10_000, 10_000]);
  });

  it("starts over after a worker that ran for a minute", () => {
    expect(countEarlyEnds(0, 10)).to.equal(1);
    expect(countEarlyEnds(4, 59_999)).to.equal(5);
    expect(countEarlyEnds(4, 60_000)).to.equal(1);
  });
});
