import { expect } from "chai";
import {
  countRequestsNeeded,
  ENOUGH_CANARY_REQUESTS,
} from "../../../apps/monitor/verdict/requests-needed.js";
import { TestedRelease } from "../../support/monitor/verdict-traffic.js";

describe("number of canary requests that a verdict needs", () => {
  for (const outcome of ["worse", "healthy"] as const)
    it(`is none once it is ${outcome}`, () => {
      expect(
        countRequestsNeeded({
          outcome,
          canaryRequests: 61,
          warmUpRequestsLeft: 0,
        }),
      ).to.equal(0);
    });

  for (const outcome of ["split broken", null] as const)
    it(`is unknown with the outcome ${outcome}`, () => {
      expect(
        countRequestsNeeded({
          outcome,
          canaryRequests: 61,
          warmUpRequestsLeft: 0,
        }),
      ).to.be.null;
    });

  it("counts down from the warm-up on, and is unknown if requests do not suffice", () => {
    const needed = (canaryRequests: number, warmUpRequestsLeft = 0) =>
      countRequestsNeeded({
        outcome: "insufficient",
        canaryRequests,
        warmUpRequestsLeft,
      });
    expect(needed(0, 30)).to.equal(ENOUGH_CANARY_REQUESTS + 30);
    expect(needed(0)).to.equal(ENOUGH_CANARY_REQUESTS);
    expect(needed(390)).to.equal(10);
    expect(needed(400)).to.be.null;
  });

  it("is part of the verdict: first null, then decreasing", () => {
    const release = new TestedRelease(51);
    expect(release.judge().canaryRequestsNeeded).to.be.null;
    release.hear(1);
    const warming = release.judge();
    expect(warming.because).to.match(/^warming up/);
    expect(warming.canaryRequestsNeeded).to.be.within(430, 450);
    release.hear(20);
    const { canary, canaryRequestsNeeded } = release.judge();
    expect(canaryRequestsNeeded).to.equal(400 - canary.requests);
  });
});
