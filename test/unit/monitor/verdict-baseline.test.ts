import { expect } from "chai";
import { Baseline } from "../../../apps/monitor/verdict/baseline.js";
import { times } from "../../support/monitor/telemetry.js";
import {
  routeWindow,
  START,
  TestedRelease,
  windowPair,
} from "../../support/monitor/verdict-traffic.js";

const MINUTE = 60_000;

function requestsOn(baseline: Baseline, route = "GET /get"): number {
  const warmUp = baseline.warmUpOf(route);
  if ("because" in warmUp)
    return Number(/has answered (\d+)/.exec(warmUp.because)?.[1] ?? NaN);
  return warmUp.reduce((sum, count) => sum + count, 0);
}

function routes(requests: number, name = "GET /get") {
  const answers = times(requests, { latencyMs: 100 });
  return new Map([[name, routeWindow(answers)]]);
}

describe("verdict baseline", () => {
  it("covers prod's responses of the last five to ten minutes", () => {
    const baseline = new Baseline();
    baseline.add(routes(300), START);
    baseline.add(routes(200), START + 5 * MINUTE);
    expect(requestsOn(baseline)).to.equal(500);
    baseline.add(routes(1), START + 10 * MINUTE);
    expect(requestsOn(baseline)).to.equal(201);
    baseline.add(routes(1), START + 15 * MINUTE);
    expect(requestsOn(baseline)).to.equal(2);
  });

  it("is kept while no telemetry arrives", () => {
    const baseline = new Baseline();
    baseline.add(routes(300), START);
    for (let i = 1; i < 10; i++)
      baseline.add(new Map(), START + 5 * i * MINUTE);
    expect(requestsOn(baseline)).to.equal(300);
  });

  it("includes prod's responses while the canary is closed", () => {
    const release = new TestedRelease(71);
    const pair = windowPair(START, {}, { alone: routes(300) });
    release.test.observe(pair, release.baseline);
    expect(requestsOn(release.baseline)).to.equal(300);
  });

  it("counts the routes beyond the fiftieth together", () => {
    const baseline = new Baseline();
    for (let i = 0; i < 60; i++) baseline.add(routes(200, `GET /${i}`), START);
    expect(Object.keys(baseline.toStored().current)).to.have.length(51);
    expect(requestsOn(baseline, "other")).to.equal(2000);
  });

  it("is the same when it is restored", () => {
    const baseline = new Baseline();
    baseline.add(routes(300), START);
    baseline.add(routes(40), START + 6 * MINUTE);
    const restored = Baseline.restore(baseline.toStored());
    for (const each of [baseline, restored])
      each.add(routes(1), START + 12 * MINUTE);
    expect(requestsOn(baseline)).to.equal(41);
    expect(requestsOn(restored)).to.equal(41);
  });
});
