import { expect } from "chai";
import {
  Baseline,
  storedBaseline,
} from "../../../apps/monitor/verdict/baseline/baseline.js";
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
  return warmUp.latency.reduce((sum, count) => sum + count, 0);
}

function routes(requests: number, name = "GET /get") {
  const answers = times(requests, { latencyMs: 100 });
  return new Map([[name, routeWindow(answers)]]);
}

describe("verdict baseline", () => {
  it("covers prod's last 1,000 to 2,000 responses", () => {
    const baseline = new Baseline();
    for (let i = 0; i < 50; i++) baseline.add(routes(100), START + i * MINUTE);
    expect(requestsOn(baseline)).to.be.within(1000, 2000);
  });

  it("waits for 200 responses for hours, and forgets those of more than 24", () => {
    const baseline = new Baseline();
    for (let hour = 0; hour < 20; hour++)
      baseline.add(routes(10), START + hour * 60 * MINUTE);
    expect(baseline.warmUpOf("GET /get")).to.have.property("latency");
    baseline.add(routes(1), START + 48 * 60 * MINUTE);
    baseline.add(routes(1), START + 72 * 60 * MINUTE);
    expect(requestsOn(baseline)).to.equal(2);
  });

  it("compares rare routes that prod serves together", () => {
    const baseline = new Baseline();
    for (let i = 0; i < 9; i++) baseline.add(routes(30, `GET /${i}`), START);
    baseline.add(routes(300, "GET /often"), START);
    const unknown = routeWindow(times(50, { latencyMs: 1, isUnknown: true }));
    baseline.add(new Map([["GET /canary-only", unknown]]), START);
    expect(requestsOn(baseline, "other")).to.equal(270);
    expect(baseline.isRareAndServed("GET /3")).to.be.true;
    expect(baseline.isRareAndServed("GET /often")).to.be.false;
    expect(baseline.isRareAndServed("GET /canary-only")).to.be.false;
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
    expect(baseline.toStored()).to.have.length(51);
    expect(requestsOn(baseline, "other")).to.be.within(1000, 2000);
  });

  it("is the same when it is restored", () => {
    const baseline = new Baseline();
    baseline.add(routes(300), START);
    baseline.add(routes(40), START + 6 * MINUTE);
    const json = JSON.stringify(baseline.toStored());
    const stored = storedBaseline.parse(JSON.parse(json));
    const restored = Baseline.restore(stored, START + 6 * MINUTE);
    expect(restored.warmUpOf("GET /get")).to.deep.equal(
      baseline.warmUpOf("GET /get"),
    );
    for (const each of [baseline, restored])
      each.add(routes(900), START + 12 * MINUTE);
    expect(restored.toStored()).to.deep.equal(baseline.toStored());
  });
});
