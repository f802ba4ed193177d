import { expect } from "chai";
import {
  addOutcome,
  countFailures,
  countOutcomes,
  failuresInARow,
} from "../../../apps/proxy/canary/outcome-history.js";
import { createSeededRandom } from "../../support/seeded-random.js";

describe("proxy outcome history", () => {
  it("is empty at 0", () => {
    expect(countOutcomes(0)).to.equal(0);
    expect(countFailures(0)).to.equal(0);
    expect(failuresInARow(0)).to.equal(0);
  });

  it("gives the same counts as a list of the last twenty outcomes", () => {
    const random = createSeededRandom(5);
    const list: boolean[] = [];
    let history = 0;
    for (let i = 0; i < 5000; i++) {
      // Long rows as well as none.
      const failed = random() < (i % 1000 < 500 ? 0.9 : 0.3);
      history = addOutcome(history, failed);
      list.push(failed);
      const last = list.slice(-20);
      const lastSuccess = last.lastIndexOf(false);
      expect(countOutcomes(history)).to.equal(last.length);
      expect(countFailures(history)).to.equal(last.filter(Boolean).length);
      expect(failuresInARow(history)).to.equal(last.length - 1 - lastSuccess);
    }
  });
});
