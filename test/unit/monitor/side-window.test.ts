import { expect } from "chai";
import { SideWindow } from "../../../apps/monitor/telemetry/side-window.js";
import {
  bucketOf,
  upperEdgeMs,
} from "../../../lib/telemetry/latency-histogram.js";
import type { TrafficWindow } from "../../../lib/telemetry/telemetry.js";
import {
  histogramOf,
  times,
  trafficWindow,
} from "../../support/monitor/telemetry.js";

const KEEP_MS = 10_000;
const NOW = 1_700_000_000_000;

/** A side with these windows, each of 500 ms by default. */
function sideWindow(
  ...entries: [atMs: number, latenciesMs: number[], Partial<TrafficWindow>?][]
): SideWindow {
  const window = new SideWindow(KEEP_MS);
  for (const [atMs, latenciesMs, fields] of entries) {
    const data = trafficWindow("canary", latenciesMs, {
      windowMs: 500,
      ...fields,
    });
    window.add({ source: "proxy@edge1:8080", atMs, data });
  }
  return window;
}

describe("side window", () => {
  it("adds up all proxies' windows", () => {
    const window = new SideWindow(KEEP_MS);
    const errors = { errors: 1 };
    for (const source of ["proxy@edge1:8080", "proxy@edge2:8080"])
      window.add({
        source,
        atMs: NOW,
        data: trafficWindow("canary", [4, 4, 1000], errors),
      });
    const figures = window.figures(NOW);
    expect(figures).to.include({ requests: 6, errors: 2 });
    expect(figures.latency.toSparse()).to.deep.equal([
      [bucketOf(4), 4],
      [bucketOf(1000), 2],
    ]);
  });

  it("adds up each instance's requests, errors and latencies", () => {
    const of = (requests: number, errors: number, ms: number) => ({
      ...{ requests, errors, latency: histogramOf(times(requests, ms)) },
    });
    const window = sideWindow(
      [NOW - KEEP_MS, [4], { instances: { "a:1": of(9, 9, 9) } }],
      [NOW - 1000, [4, 4], { instances: { "a:1": of(2, 0, 4) } }],
      [NOW, [4, 8], { instances: { "a:1": of(1, 1, 4), "b:1": of(1, 0, 8) } }],
    );
    const sums = window.figuresByInstance(NOW);
    expect([...sums.keys()]).to.deep.equal(["a:1", "b:1"]);
    expect(sums.get("a:1")).to.include({ requests: 3, errors: 1 });
    expect(sums.get("b:1")!.latency.toSparse()).to.deep.equal([
      [bucketOf(8), 1],
    ]);
  });

  it("returns the window before the current one", () => {
    const window = sideWindow(
      [NOW - 2 * KEEP_MS, [1]],
      [NOW - 2 * KEEP_MS + 1, [1, 1]],
      [NOW - KEEP_MS, [1, 1, 1]],
      [NOW - KEEP_MS + 1, [1, 1, 1, 1]],
    );
    expect(window.figuresBefore(NOW).requests).to.equal(5);
    expect(window.figures(NOW).requests).to.equal(4);
  });

  it("holds windows that ended within its length", () => {
    const window = sideWindow(
      [NOW - KEEP_MS, [1]],
      [NOW - KEEP_MS + 1, [1, 1]],
      [NOW, [1, 1, 1]],
    );
    expect(window.figures(NOW).requests).to.equal(5);
    expect(window.figures(NOW + 1).requests).to.equal(3);
    expect(window.figures(NOW + KEEP_MS).requests).to.equal(0);
  });

  it("excludes windows that started before a given time", () => {
    const window = sideWindow([NOW - 500, [1]], [NOW, [1, 1]]);
    const requestsSince = (sinceMs: number) =>
      window.figures(NOW, sinceMs).requests;
    expect(requestsSince(NOW - 1000)).to.equal(3);
    expect(requestsSince(NOW - 999)).to.equal(2);
    expect(requestsSince(NOW - 500)).to.equal(2);
    expect(requestsSince(NOW - 499)).to.equal(0);
  });

  it("returns the last requests of ten minutes when there are too few", () => {
    const window = new SideWindow(KEEP_MS, 3);
    const data = (latencyMs: number) =>
      trafficWindow("canary", [latencyMs], { windowMs: 500 });
    for (const [agoMs, latencyMs] of [
      [600_000, 1],
      [599_999, 2],
      [300_000, 4],
      [30_000, 8],
      [0, 16],
    ] as const)
      window.add({ source: "p", atMs: NOW - agoMs, data: data(latencyMs) });
    const last = (now: number, sinceMs = 0) => {
      const { latency, spanMs } = window.lastAnswered(now, sinceMs);
      return [latency.toSparse(), spanMs];
    };
    expect(last(NOW)).to.deep.equal([histogramOf([4, 8, 16]), 300_500]);
    expect(last(NOW, NOW - 30_500)).to.deep.equal([
      histogramOf([8, 16]),
      30_500,
    ]);
    expect(last(NOW + 600_000)).to.deep.equal([[], KEEP_MS]);
  });

  it("is not changed by merging into its figures", () => {
    const window = sideWindow([NOW, [1]]);
    window.figures(NOW).latency.merge([[300, 9]]);
    expect(window.figures(NOW).latency.total).to.equal(1);
  });
});

describe("side window's waiting requests", () => {
  it("are those beyond the threshold's bucket", () => {
    const waiting = histogramOf([499, 511, 513, 2000]);
    const window = sideWindow([NOW, [], { waiting }]);
    expect(window.waitingBeyond(500, NOW)).to.deep.equal(
      histogramOf([513, 2000]),
    );
  });

  it("are those of each proxy's latest report only", () => {
    const window = new SideWindow(KEEP_MS);
    const report = (source: string, atMs: number, ages: number[]) =>
      window.add({
        source,
        atMs,
        data: trafficWindow("canary", [], { waiting: histogramOf(ages) }),
      });
    report("a", NOW - 500, times(9, 800));
    report("a", NOW, [1300]);
    report("b", NOW, [1300]);
    expect(window.waitingBeyond(500, NOW)).to.have.length(2);
    report("a", NOW + 500, []);
    expect(window.waitingBeyond(500, NOW + 500)).to.have.length(1);
  });

  it("are none when the report has none, or is three seconds old", () => {
    const window = sideWindow([NOW, [], { waiting: histogramOf([800]) }]);
    expect(window.waitingBeyond(500, NOW + 2999)).to.have.length(1);
    expect(window.waitingBeyond(500, NOW + 3000)).to.be.empty;
    window.add({
      source: "proxy@edge1:8080",
      atMs: NOW + 1,
      data: trafficWindow("canary"),
    });
    expect(window.waitingBeyond(500, NOW + 1)).to.be.empty;
  });

  it("are those that certainly arrived after a given time", () => {
    const waiting = histogramOf([800, 2000]);
    const oldestOf = (ageMs: number) => upperEdgeMs(bucketOf(ageMs));
    const window = sideWindow([NOW, [], { waiting }]);
    const waitingSince = (sinceMs: number) =>
      window.waitingBeyond(500, NOW, sinceMs);
    expect(waitingSince(NOW - oldestOf(2000))).to.deep.equal(waiting);
    expect(waitingSince(NOW - oldestOf(2000) + 1)).to.deep.equal(
      histogramOf([800]),
    );
    expect(waitingSince(NOW - oldestOf(800) + 1)).to.be.empty;
  });
});
