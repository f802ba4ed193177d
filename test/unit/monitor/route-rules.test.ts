import { expect } from "chai";
import { readConfig } from "../../../apps/monitor/config.js";
import {
  describeLatency,
  judgeSide,
} from "../../../apps/monitor/control/judge-latency.js";
import { SideWindow } from "../../../apps/monitor/telemetry/side-window.js";
import {
  histogramOf,
  times,
  trafficWindow,
} from "../../support/monitor/telemetry.js";
import { routeWindow } from "../../support/monitor/verdict-traffic.js";

const NOW = 1_700_000_000_000;
const RULES = '{"/poll": {"latency": "ignore"}, "/report": {"latency": "5s"}}';

/** Judges ten answers on each of these routes, and ten requests that wait there. */
function judge(
  routes: Record<string, number>,
  { waiting = {}, rules = RULES } = {},
) {
  const { latency } = readConfig({ ROUTE_RULES: rules });
  const window = new SideWindow(latency.windowMs, latency.minRequests);
  const ages = (byRoute: Record<string, number>) =>
    Object.entries(byRoute).map(
      ([route, ms]) => [route, histogramOf(times(10, ms))] as const,
    );
  const latencies = Object.values(routes).flatMap((ms) => times(10, ms));
  const data = trafficWindow("canary", latencies, {
    routes: Object.fromEntries(
      Object.entries(routes).map(([route, latencyMs]) => [
        route,
        routeWindow(times(10, { latencyMs })),
      ]),
    ),
    waiting: ages(waiting).flatMap(([, list]) => list),
    waitingRoutes: Object.fromEntries(ages(waiting)),
  });
  window.add({ source: "proxy@edge1:8080", atMs: NOW, data });
  return judgeSide(window, latency, { now: NOW, sinceMs: 0 });
}

describe("route rules", () => {
  const quick = { "GET /get": 4 };

  it("leave a route out that is ignored, also while it waits", () => {
    const poll = { "GET /poll": 30_000 };
    expect(judge({ ...quick, ...poll }).isBreach).to.be.false;
    expect(judge(quick, { waiting: poll }).isBreach).to.be.false;
    expect(judge({ ...quick, ...poll }, { rules: "{}" }).isBreach).to.be.true;
    expect(judge(quick, { waiting: poll, rules: "{}" }).isBreach).to.be.true;
  });

  it("judge a route by its own threshold, and name it", () => {
    expect(judge({ ...quick, "POST /report": 4000 }).isBreach).to.be.false;
    const breach = judge({ ...quick, "POST /report": 6000 });
    expect(breach.isBreach).to.be.true;
    expect(describeLatency("canary", breach.figures)).to.match(
      /^canary p95 on \/report 6,\d+ ms > 5,000 ms over 10 s \(10 requests\)$/,
    );
  });

  it("leave the other routes to the threshold of all", () => {
    const { isBreach, figures } = judge({ "GET /get": 900, "GET /poll": 4 });
    expect(isBreach).to.be.true;
    expect(figures).to.include({ requests: 10, thresholdMs: 500 });
  });

  for (const bad of [
    "{",
    "[]",
    '{"poll": {"latency": "ignore"}}',
    '{"/a/b": {"latency": "ignore"}}',
    '{"/a": {"latency": "5"}}',
    '{"/a": {"latency": "0s"}}',
    '{"/a": {"latency": "ignore", "errors": "ignore"}}',
  ])
    it(`are refused at the start when they are ${bad}`, () => {
      const env = { ROUTE_RULES: bad, LATENCY_SIDES: "canary,edge" };
      expect(() => readConfig(env))
        .to.throw("ROUTE_RULES is")
        .with.property("problems")
        .that.has.length(2);
    });
});
