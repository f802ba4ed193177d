import { expect } from "chai";
import { readConfig } from "../../../apps/monitor/config.js";
import { Observations } from "../../../apps/monitor/telemetry/observations.js";
import type { EventKind, LedgerEvent } from "../../../lib/flag/ledger.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";
import {
  hostSample,
  times,
  trafficWindow,
} from "../../support/monitor/telemetry.js";

const PROXY = "proxy@edge1:8080";
const NOW = 1_700_000_000_000;

function observe(onNews: () => void = () => undefined): Observations {
  return new Observations(readConfig({}), onNews);
}

function hearTraffic(
  observations: Observations,
  target: Side,
  latenciesMs: number[],
): void {
  const data = trafficWindow(target, latenciesMs, {
    errors: 1,
    withoutFeature: 2,
  });
  const telemetry = { kind: "traffic", source: PROXY, at: 0, data } as const;
  observations.onTelemetry(telemetry, NOW);
}

function event(kind: EventKind, data: Record<string, unknown>): LedgerEvent {
  return { id: "1-0", kind, by: "proxy", reason: "r", at: "", data };
}

describe("observations", () => {
  it("sum up a side, with quantiles to a hundredth of a millisecond", () => {
    const observations = observe();
    hearTraffic(observations, "canary", times(20, 4));
    expect(observations.sideFigures("canary", NOW)).to.deep.equal({
      requests: 20,
      errors: 1,
      withoutFeature: 2,
      p50Ms: 3.92,
      p95Ms: 3.99,
      p99Ms: 4,
      intervals: { p50Ms: [3.88, 3.95], p95Ms: null, p99Ms: null },
      windowMs: 10_000,
    });
  });

  it("keep the sides apart", () => {
    const observations = observe();
    hearTraffic(observations, "canary", [4]);
    expect(observations.sideFigures("prod", NOW)).to.deep.equal({
      requests: 0,
      errors: 0,
      withoutFeature: 0,
      p50Ms: null,
      p95Ms: null,
      p99Ms: null,
      intervals: { p50Ms: null, p95Ms: null, p99Ms: null },
      windowMs: 10_000,
    });
  });

  it("list proxies and hosts by their telemetry", () => {
    const observations = observe();
    hearTraffic(observations, "prod", []);
    observations.onTelemetry(
      { kind: "host", source: "agent@w", at: 0, data: hostSample("prod") },
      NOW,
    );
    expect(observations.proxies().map(({ source }) => source)).to.deep.equal([
      PROXY,
    ]);
    expect(observations.hosts().map(({ source }) => source)).to.deep.equal([
      "agent@w",
    ]);
  });

  it("follow the ledger's stops and starts", () => {
    const observations = observe();
    hearTraffic(observations, "prod", []);
    observations.onEvent(event("stop", { source: PROXY }), NOW);
    expect(observations.proxies()).to.be.empty;
    observations.onEvent(event("start", { source: PROXY }), NOW);
    expect(observations.proxies()).to.have.length(1);
  });

  it("ignore other events, and events without a source", () => {
    const observations = observe();
    hearTraffic(observations, "prod", []);
    observations.onEvent(event("alert", { source: PROXY }), NOW);
    observations.onEvent(event("stop", {}), NOW);
    observations.onEvent(event("stop", { source: 5 }), NOW);
    expect(observations.proxies()).to.have.length(1);
  });

  it("are current once the backlog is read", () => {
    const observations = observe();
    expect(observations.isCurrent).to.be.false;
    observations.onCaughtUp(NOW - 1, NOW);
    expect(observations.isCurrent).to.be.false;
    observations.onCaughtUp(NOW, NOW);
    expect(observations.isCurrent).to.be.true;
  });

  it("are not current during a gap, until they have caught up", () => {
    const observations = observe();
    observations.onCaughtUp(NOW, NOW);
    observations.onGap("away");
    expect(observations.isCurrent).to.be.false;
    observations.onCaughtUp(NOW + 5000, NOW + 60_000);
    expect(observations.isCurrent).to.be.false;
    observations.onCaughtUp(NOW + 60_000, NOW + 60_000);
    expect(observations.isCurrent).to.be.true;
  });

  it("notify after each batch", () => {
    let news = 0;
    const observations = observe(() => (news += 1));
    observations.onCaughtUp(NOW, NOW);
    expect(news).to.equal(1);
  });
});
