import { expect } from "chai";
import { createPlan, type PlanFacts } from "../../../apps/monitor/plan/plan.js";
import { recommend } from "../../../apps/monitor/plan/recommend.js";
import { compareRoutes } from "../../../apps/monitor/verdict/baseline/baseline.js";
import { rolloutSpec } from "../../../lib/rollout/spec.js";
import { RULES, TestedRelease } from "../../support/monitor/verdict-traffic.js";

const RULE = { alpha: 0.01, stallMs: 5000, warmUpMs: 60_000 };

function factsOf(fields: Partial<PlanFacts> = {}): PlanFacts {
  const release = new TestedRelease(1);
  release.hear(20);
  return {
    routes: compareRoutes(release.baseline, RULES.tolerance),
    missing: null,
    requestsPerSecond: 100,
    prodErrorRatio: 0.001,
    proxies: 1,
    hosts: { prod: 3, canary: 1 },
    rule: RULE,
    ...fields,
  };
}

describe("plan", function () {
  this.timeout(60_000);

  it("finds more at a greater weight, and a slower canary sooner", async () => {
    const weights = [2, 25];
    const plan = await createPlan(factsOf(), { minutes: 10, weights });
    const [low, high] = plan.weights as [
      (typeof plan.weights)[0],
      (typeof plan.weights)[0],
    ];
    expect(plan.weights.map(({ weight }) => weight)).to.deep.equal(weights);
    expect(low.canaryPerSecond).to.equal(2);
    expect(high.findsSlowdown).to.be.within(1.1, 1.25);
    expect(low.findsSlowdown).to.be.within(high.findsSlowdown!, 1.75);
    expect(low.slowdowns[0]!.minutes).to.be.above(
      (5 * high.slowdowns[0]!.minutes!) / 2,
    );
    expect(low.findsErrorRatio).to.be.above(high.findsErrorRatio!);
    expect(high.findsErrorRatio).to.be.within(0.001, 0.01);
    for (const { slowdowns, canaryPerSecond } of plan.weights) {
      const minutes = slowdowns.map((found) => found.minutes!);
      expect(minutes).to.deep.equal(minutes.toSorted((a, b) => b - a));
      // With the warm-up, in which requests meet the canary too.
      expect(minutes.at(-1)).to.be.above(1);
      for (const found of slowdowns)
        expect(found.canaryRequests).to.be.closeTo(
          60 * found.minutes! * canaryPerSecond,
          1,
        );
    }
  });

  it("says that nothing is found where the tolerance hides it", async () => {
    const release = new TestedRelease(2);
    release.respond = (_side, _route, random) => ({
      latencyMs: 4 + 0.2 * random(),
    });
    release.hear(20);
    const routes = compareRoutes(release.baseline, RULES.tolerance);
    const plan = await createPlan(factsOf({ routes }), {
      ...{ minutes: 10, weights: [25] },
    });
    const [, half] = plan.weights[0]!.slowdowns;
    expect(half).to.deep.equal({
      ...{ slowdown: 1.5, minutes: null, canaryRequests: null },
    });
    expect(plan.weights[0]!.findsSlowdown).to.be.above(1.5);
    expect(plan.rollout!.because.at(-1)).to.match(/1\.5 × slower is not found/);
  });

  it("tells only what is missing while too little is known", async () => {
    const missing = "prod has had 40 requests";
    const plan = await createPlan(factsOf({ routes: [], missing }), {
      ...{ minutes: 10, weights: [25] },
    });
    expect(plan).to.deep.include({ missing, weights: [], rollout: null });
  });
});

describe("plan's recommended rollout", () => {
  const stepsFor = async (fields: Partial<PlanFacts>, seconds = 200) => {
    const facts = factsOf({ routes: [], ...fields });
    const rollout = await recommend(facts, () => Promise.resolve(seconds));
    // It can be copied into serin.yml.
    rolloutSpec.parse({ steps: rollout!.steps });
    return rollout!;
  };
  const weightsOf = ({ steps }: { steps: { weight: number }[] }) =>
    steps.map(({ weight }) => weight);

  it("begins with 2 % where the canary gets two requests a second by that", async () => {
    const rollout = await stepsFor({ requestsPerSecond: 100 });
    expect(rollout.steps).to.deep.equal([
      { weight: 2, for: "60s" },
      { weight: 10, for: "60s" },
      { weight: 25, for: "200s" },
    ]);
    expect(rollout.because[0]).to.equal(
      "The canary has 1 of 4 hosts, and so 25 % of the capacity",
    );
  });

  it("begins with more at a low rate, and waits for 50 requests", async () => {
    const rollout = await stepsFor({
      ...{ requestsPerSecond: 20, hosts: { prod: 1, canary: 1 } },
    });
    expect(weightsOf(rollout)).to.deep.equal([10, 25, 50]);
    const slow = await stepsFor({
      ...{ requestsPerSecond: 2, hosts: { prod: 1, canary: 1 } },
    });
    expect(slow.steps).to.deep.equal([{ weight: 50, for: "260s" }]);
    expect(slow.because.join()).to.include("less than 2 requests/s");
  });

  it("ends at the canary hosts' share of the capacity", async () => {
    const rollout = await stepsFor({ hosts: { prod: 9, canary: 1 } });
    expect(weightsOf(rollout)).to.deep.equal([2, 10]);
    const unknown = await stepsFor({ hosts: { prod: 0, canary: 0 } });
    expect(weightsOf(unknown)).to.deep.equal([2, 10, 25, 50]);
    expect(unknown.because[0]).to.match(/^The agents of both sides do not/);
  });
});
