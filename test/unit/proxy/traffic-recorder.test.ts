import { expect } from "chai";
import {
  CLIENT_CLOSED,
  TrafficRecorder,
} from "../../../apps/proxy/traffic/traffic-recorder.js";
import type { ThreadWindows } from "../../../apps/proxy/traffic/window-counts.js";
import { bucketOf } from "../../../lib/telemetry/latency-histogram.js";
import { dealt } from "../../support/dealt.js";

const OK = { status: 200, rescued: false };

describe("proxy traffic recorder", () => {
  it("counts latencies above half a second exactly", () => {
    const recorder = new TrafficRecorder(0);
    for (const ms of [499, 500, 500.1, 505])
      recorder.finish(recorder.begin(dealt("prod"), 0), OK, ms);
    expect(recorder.takeWindow(600).prod.above500Ms).to.equal(2);
  });

  it("counts each side's requests, statuses and latencies in one window", () => {
    const recorder = new TrafficRecorder(1000);
    const slow = recorder.begin(dealt("canary"), 1000);
    const fast = recorder.begin(dealt("prod"), 1000);
    const failed = recorder.begin(dealt("prod"), 1010);
    recorder.finish(fast, OK, 1008);
    recorder.finish(failed, { status: 503, rescued: false }, 1018);
    recorder.finish(slow, { status: 404, rescued: false }, 1400);

    const window = recorder.takeWindow(1500);
    expect(window.prod).to.deep.include({
      requests: 2,
      errors: 1,
      status: { 200: 1, 503: 1 },
      latency: [[bucketOf(8), 2]],
      arms: { chosen: 2, retried: 0, rescued: 0 },
      waiting: [],
      windowMs: 500,
    });
    expect(window.canary).to.deep.include({
      requests: 1,
      errors: 0,
      status: { 404: 1 },
      latency: [[bucketOf(400), 1]],
    });
  });

  it("ends the window at the first request that another weight deals", () => {
    const ended: ThreadWindows[] = [];
    const recorder = new TrafficRecorder(0, (window) => ended.push(window));
    const begin = (weight?: number) =>
      recorder.begin(
        weight === undefined
          ? { side: "prod", by: "closed" }
          : { ...dealt("prod"), weight },
        10,
      );
    const first = begin(200);
    begin(200);
    begin();
    expect(ended).to.deep.equal([]);
    begin(1000);
    recorder.finish(first, OK, 20);
    const current = recorder.takeWindow(500);
    expect(ended).to.have.length(1);
    expect([ended[0]!.weight, ended[0]!.prod.dealt]).to.deep.equal([200, 2]);
    expect([current.weight, current.prod.dealt]).to.deep.equal([1000, 1]);
    expect(ended[0]!.prod.windowMs! + current.prod.windowMs!).to.equal(500);
    // A window in which nothing was dealt has no weight of its own.
    begin();
    expect(recorder.takeWindow(1000).weight).to.equal(undefined);
    begin(50);
    expect(ended).to.have.length(1);
  });

  it("counts a request that asked for the canary as such, and nowhere else", () => {
    const recorder = new TrafficRecorder(0);
    const before = recorder.takeWindow(0).canary;
    const asked = { side: "canary", by: "asked" } as const;
    const failed = recorder.begin(asked, 0, { method: "GET", url: "/a" });
    recorder.begin(asked, 0);
    expect(
      recorder.finish(failed, { status: 500, rescued: true }, 900),
    ).to.equal(true);
    expect(
      recorder.finish(failed, { status: 500, rescued: true }, 900),
    ).to.equal(false);
    const { prod, canary } = recorder.takeWindow(1000);
    const { arms, windowMs, ...counts } = canary;
    expect(windowMs).to.equal(1000);
    expect(arms).to.deep.equal({ ...before.arms, optedIn: 2 });
    expect({ ...counts, windowMs: 0, arms: before.arms }).to.deep.equal(before);
    expect(prod.arms.rescued).to.equal(0);
  });

  it("does not count a client's further requests as dealt, but as its side's", () => {
    const recorder = new TrafficRecorder(0);
    const asked = { method: "GET", url: "/a" };
    for (const by of ["dealt", "kept", "kept"] as const)
      recorder.finish(recorder.begin({ side: "canary", by }, 0, asked), OK, 5);
    const { canary } = recorder.takeWindow(500);
    expect(canary).to.deep.include({ requests: 3, dealt: 1 });
    expect(canary.routes!["GET /a"]!.requests).to.equal(3);
  });

  it("counts a request that the other side had as found there, in no route and without a latency", () => {
    const recorder = new TrafficRecorder(0);
    const asked = { method: "GET", url: "/a" };
    const end = (status: number) =>
      recorder.finish(
        recorder.begin(dealt("prod"), 0, asked),
        { status, rescued: false, isFallback: true },
        900,
      );
    end(200);
    const found = recorder.takeWindow(1000).prod;
    expect(found).to.deep.include({
      ...{ requests: 1, errors: 0, latency: [], above500Ms: 0, routes: {} },
      status: { 200: 1 },
    });
    expect(found.arms.foundElsewhere).to.equal(1);
    end(404);
    const missed = recorder.takeWindow(2000).prod;
    expect(missed.arms.foundElsewhere).to.equal(undefined);
    expect(missed.routes!.other).to.deep.include({
      ...{ requests: 1, refused: { 404: 1 }, latency: [] },
    });
  });

  it("starts each window empty", () => {
    const recorder = new TrafficRecorder(0);
    recorder.finish(recorder.begin(dealt("prod"), 0), OK, 1);
    recorder.takeWindow(500);
    expect(recorder.takeWindow(1250).prod).to.deep.include({
      requests: 0,
      errors: 0,
      status: {},
      latency: [],
      arms: { chosen: 0, retried: 0, rescued: 0 },
      waiting: [],
      windowMs: 750,
    });
  });

  it("counts a rescued request as the canary's error and as prod's rescue", () => {
    const recorder = new TrafficRecorder(0);
    const pending = recorder.begin(dealt("canary"), 0);
    recorder.finish(pending, { status: 502, rescued: true }, 20);

    const { prod, canary } = recorder.takeWindow(500);
    expect(canary).to.deep.include({
      requests: 1,
      errors: 1,
      status: { 502: 1 },
      arms: { chosen: 1, retried: 1, rescued: 0 },
    });
    expect(prod).to.deep.include({
      requests: 0,
      arms: { chosen: 0, retried: 0, rescued: 1 },
    });
  });

  it("counts a client that left as 499 and not as an error", () => {
    const recorder = new TrafficRecorder(0);
    const pending = recorder.begin(dealt("canary"), 0);
    recorder.finish(pending, { status: CLIENT_CLOSED, rescued: false }, 70);
    expect(recorder.takeWindow(500).canary).to.deep.include({
      requests: 1,
      errors: 0,
      status: { 499: 1 },
      latency: [[bucketOf(70), 1]],
    });
  });

  it("measures latency and age from the end of a request's body", () => {
    const recorder = new TrafficRecorder(0);
    const asked = { method: "POST", url: "/upload" };
    const body: { arrivedAt: number | undefined } = { arrivedAt: undefined };
    const pending = recorder.begin(dealt("canary"), 0, asked, body);
    expect(recorder.takeWindow(500).canary.waiting).to.deep.equal([]);
    body.arrivedAt = 900;
    const { waiting } = recorder.takeWindow(1000).canary;
    expect(waiting).to.deep.equal([[bucketOf(100), 1]]);
    recorder.finish(pending, OK, 1050);
    const { canary } = recorder.takeWindow(1500);
    expect(canary.latency).to.deep.equal([[bucketOf(150), 1]]);
    expect(canary.routes?.["POST /upload"]?.latency).to.deep.equal(
      canary.latency,
    );
  });

  it("records no latency for a request that ended before its body", () => {
    const recorder = new TrafficRecorder(0);
    const asked = { method: "POST", url: "/upload" };
    for (const status of [200, 499, 502])
      recorder.finish(
        recorder.begin(dealt("canary"), 0, asked, { arrivedAt: undefined }),
        { status, rescued: false },
        900,
      );
    const { canary } = recorder.takeWindow(1000);
    expect(canary).to.deep.include({ requests: 3, errors: 1, latency: [] });
  });

  it("counts only the first outcome of a request", () => {
    const recorder = new TrafficRecorder(0);
    const pending = recorder.begin(dealt("prod"), 0);
    recorder.finish(pending, OK, 1);
    recorder.finish(pending, { status: CLIENT_CLOSED, rescued: false }, 2);
    expect(recorder.takeWindow(500).prod.status).to.deep.equal({ 200: 1 });
  });

  it("shows the ages of waiting requests in each window until they are answered", () => {
    const recorder = new TrafficRecorder(0);
    const pending = recorder.begin(dealt("canary"), 100);
    const first = recorder.takeWindow(500).canary;
    expect(first.waiting).to.deep.equal([[bucketOf(400), 1]]);
    expect(first.requests).to.equal(0);
    expect(first.arms.chosen).to.equal(1);

    const second = recorder.takeWindow(1000).canary;
    expect(second.waiting).to.deep.equal([[bucketOf(900), 1]]);
    expect(second.arms.chosen).to.equal(0);

    recorder.finish(pending, OK, 1100);
    const third = recorder.takeWindow(1500).canary;
    expect(third.waiting).to.deep.equal([]);
    expect(third.latency).to.deep.equal([[bucketOf(1000), 1]]);
  });
});
