import { expect } from "chai";
import { readConfig } from "../../../apps/monitor/config.js";
import { History } from "../../../apps/monitor/telemetry/history.js";
import type { LedgerEvent } from "../../../lib/flag/ledger.js";
import type {
  HostSample,
  Side,
  TrafficWindow,
} from "../../../lib/telemetry/telemetry.js";
import {
  hostSample,
  times,
  trafficWindow,
} from "../../support/monitor/telemetry.js";

const START = 1_700_000_000_000;
const STEP_MS = 5000;
const SPAN_MS = 900_000;

describe("the monitor's history", () => {
  let history: History;

  beforeEach(() => {
    history = new History(readConfig({ CPU_THRESHOLD: "0.8" }));
  });

  function hear(
    side: Side,
    atMs: number,
    latenciesMs: number[],
    fields: Partial<TrafficWindow> & { source?: string } = {},
  ): void {
    const { source = "proxy@edge1:8080", ...others } = fields;
    const data = trafficWindow(side, latenciesMs, { windowMs: 500, ...others });
    history.onTelemetry({ kind: "traffic", source, at: atMs, data }, atMs);
  }

  function hearHost(
    source: string,
    atMs: number,
    fields: Partial<HostSample> = {},
  ): void {
    const data = hostSample("prod", fields);
    history.onTelemetry({ kind: "host", source, at: atMs, data }, atMs);
  }

  const points = (now = START + STEP_MS) => history.report(now).points;

  it("is empty without telemetry, and holds the rules", () => {
    expect(history.report(START)).to.deep.equal({
      now: START,
      stepMs: STEP_MS,
      spanMs: SPAN_MS,
      points: [],
      hosts: [],
      marks: [],
      rules: {
        latency: { thresholdMs: 500, quantile: 0.95 },
        cpu: { threshold: 0.8 },
      },
    });
    expect(history.newest()).to.be.empty;
  });

  it("sums a step's windows: rate, errors, quantiles and the canary's share", () => {
    hear("prod", START + 500, times(30, 4), { errors: 3, withoutFeature: 9 });
    hear("canary", START + 500, times(10, 16));
    hear("prod", START + 1000, times(30, 4));
    hear("canary", START + 1000, times(10, 16));
    const [point] = points();
    expect(point!.at).to.equal(START);
    expect(point!.canaryShare).to.equal(0.25);
    const { prod, canary } = point!.sides!;
    expect(prod).to.include({ requestsPerSecond: 60, errorRatio: 0.05 });
    expect(prod.withoutFeaturePerSecond).to.equal(9);
    expect(prod.p95Ms).to.be.within(3.8, 4);
    expect(canary).to.include({ requestsPerSecond: 20, errorRatio: 0 });
    expect(canary.p99Ms).to.be.within(15, 16);
  });

  it("adds the rates of several proxies with windows of different lengths", () => {
    hear("prod", START + 1000, times(10, 4), { windowMs: 1000, source: "one" });
    hear("prod", START + 1000, times(10, 4), { windowMs: 200, source: "two" });
    expect(points()[0]!.sides!.prod.requestsPerSecond).to.equal(60);
  });

  it("has null without measurements", () => {
    hear("prod", START, []);
    const [point] = points();
    expect(point).to.deep.include({ canaryShare: null, hosts: {} });
    expect(point!.sides!.prod).to.deep.equal({
      ...{ requestsPerSecond: 0, withoutFeaturePerSecond: 0, errorRatio: null },
      ...{ p50Ms: null, p95Ms: null, p99Ms: null },
    });
    hearHost("agent@web1:3101", START + STEP_MS, {
      cpuRatio: null,
      rssBytes: null,
    });
    expect(points(START + STEP_MS)[1]).to.deep.equal({
      at: START + STEP_MS,
      canaryShare: null,
      sides: null,
      hosts: { "agent@web1:3101": { cpuRatio: null, rssBytes: null } },
    });
  });

  it("holds a host's mean CPU and last memory in a step", () => {
    hearHost("agent@web1:3101", START, { cpuRatio: 0.1, rssBytes: 10e6 });
    hearHost("agent@web1:3101", START + 1000, {
      cpuRatio: 0.3,
      rssBytes: 20e6,
    });
    expect(points()[0]!.hosts).to.deep.equal({
      "agent@web1:3101": { cpuRatio: 0.2, rssBytes: 20e6 },
    });
    expect(history.report(START).hosts).to.deep.equal([
      { id: "agent@web1:3101", target: "prod", host: "web1" },
    ]);
  });

  it("returns the current step and the one before it as newest", () => {
    for (const step of [0, 1, 2])
      hear("prod", START + step * STEP_MS, times(step + 1, 4));
    const newest = history.newest();
    expect(newest.map(({ at }) => at)).to.deep.equal([
      START + STEP_MS,
      START + 2 * STEP_MS,
    ]);
    expect(newest[1]!.sides!.prod.requestsPerSecond).to.equal(6);
  });

  it("adds an older entry to the current step", () => {
    hear("prod", START + STEP_MS, times(1, 4));
    hear("prod", START, times(1, 4));
    expect(points().map(({ at }) => at)).to.deep.equal([START + STEP_MS]);
  });

  it("forgets points, hosts and marks that are older than its span", () => {
    hearHost("agent@gone:3101", START);
    history.onEvent(flip("1-0"), START);
    for (let at = START; at <= START + 3 * SPAN_MS; at += STEP_MS)
      hearHost("agent@web1:3101", at);
    const { points, hosts, marks } = history.report(START + 3 * SPAN_MS);
    expect(points).to.have.length(SPAN_MS / STEP_MS + 1);
    expect(hosts.map(({ id }) => id)).to.deep.equal(["agent@web1:3101"]);
    expect(marks).to.be.empty;
  });

  it("marks flips and deploys, of which it keeps the newest", () => {
    history.onEvent(flip("1-0"), START);
    history.onEvent({ ...flip("2-0"), kind: "deploy", data: {} }, START + 1);
    history.onEvent({ ...flip("3-0"), kind: "alert" }, START + 2);
    expect(history.report(START).marks).to.deep.equal([
      {
        ...{ id: "1-0", at: START, kind: "flip", value: false },
        ...{ by: "monitor", reason: "slow" },
      },
      {
        ...{ id: "2-0", at: START + 1, kind: "deploy", value: null },
        ...{ by: "monitor", reason: "slow" },
      },
    ]);
    for (let i = 0; i < 500; i++) history.onEvent(flip(`9-${i}`), START);
    expect(history.report(START).marks).to.have.length(200);
  });
});

function flip(id: string): LedgerEvent {
  return {
    ...{ id, kind: "flip", by: "monitor", reason: "slow" },
    ...{ at: "2026-03-01T12:00:00.000Z", data: { value: false } },
  };
}
