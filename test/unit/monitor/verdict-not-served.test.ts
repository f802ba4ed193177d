import { expect } from "chai";
import { describeWorse } from "../../../apps/monitor/verdict/describe-worse.js";
import { ReleaseTest } from "../../../apps/monitor/verdict/release-test.js";
import {
  healthy,
  START,
  TestedRelease,
  type Respond,
} from "../../support/monitor/verdict-traffic.js";

/** Answers 404 to this share of a side's requests. */
function refusing(shares: { prod: number; canary: number }): Respond {
  return (side, route, random) => ({
    ...healthy(side, route, random),
    isUnknown: random() < shares[side],
  });
}

/** 30 requests a second. */
function slowTraffic(seed: number, respond: Respond): TestedRelease {
  const release = new TestedRelease(seed);
  release.requestsPerWindow = 15;
  release.respond = respond;
  return release;
}

describe("answers that do not serve", () => {
  for (const routes of [1, 20])
    it(`stop a canary that gives no other within 15 s, on ${routes} routes`, () => {
      const release = slowTraffic(7, refusing({ prod: 0, canary: 1 }));
      release.routes = Array.from({ length: routes }, (_, i) => `GET /r${i}`);
      const verdict = release.until("worse", 30);
      expect(release.atMs - START).to.be.at.most(15_000);
      expect(verdict.notServed).to.deep.include({
        status: "404",
        canaryRatio: 1,
        prodRatio: 0,
      });
    });

  it("stop nothing when both sides give them at the same rate", () => {
    for (let seed = 1; seed <= 5; seed++) {
      const release = slowTraffic(seed, refusing({ prod: 0.1, canary: 0.1 }));
      for (let window = 0; window < 1200; window += 10) {
        release.hear(10);
        expect(release.judge().outcome).not.to.equal("worse");
      }
    }
  });

  it("are still found after an hour of healthy traffic", () => {
    const release = slowTraffic(3, healthy);
    for (let window = 0; window < 7200; window += 60) {
      release.hear(60);
      release.judge();
    }
    release.respond = refusing({ prod: 0, canary: 1 });
    release.until("worse", 30);
  });

  it("are told with their route, status and rates on both sides", () => {
    const release = slowTraffic(7, refusing({ prod: 0, canary: 1 }));
    expect(describeWorse(release.until("worse", 30))).to.match(
      /^canary answers 404 to 100 % of its requests on GET \/get, prod to 0 %; evidence [\d,]+ : 1$/,
    );
  });

  it("include failures, on a rare route and from the first request", () => {
    const release = slowTraffic(7, (side, route, random) => ({
      ...healthy(side, route, random),
      isError: side === "canary" && route === "POST /pay",
    }));
    release.routes = [
      ...Array.from({ length: 9 }, (_, i) => `GET /r${i}`),
      "POST /pay",
    ];
    const verdict = release.until("worse", 60);
    expect(release.atMs - START).to.be.at.most(30_000);
    expect(describeWorse(verdict)).to.match(
      /^canary fails 100 % of its requests on POST \/pay, prod 0 %; evidence [\d,]+ : 1$/,
    );
  });

  it("weigh the same after the test was stored", () => {
    const release = slowTraffic(7, refusing({ prod: 0.1, canary: 0.3 }));
    release.hear(20);
    const before = release.judge();
    const stored = JSON.parse(
      JSON.stringify(release.test.toRecord()),
    ) as ReturnType<ReleaseTest["toRecord"]>;
    release.test = ReleaseTest.restore(stored);
    expect(release.judge()).to.deep.equal(before);
  });
});
