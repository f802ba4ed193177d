import { expect } from "chai";
import { TrafficSum } from "../../../apps/proxy/traffic/traffic-sum.js";
import { IDLE_MS } from "../../../apps/proxy/traffic/route-book.js";
import { TrafficRecorder } from "../../../apps/proxy/traffic/traffic-recorder.js";
import type { TrafficWindows } from "../../../apps/proxy/traffic/window-counts.js";
import { SPLIT_HOLDS } from "../../../apps/proxy/dealing/weight.js";
import { SIDES, type Side } from "../../../lib/telemetry/telemetry.js";
import { createSeededRandom } from "../../support/seeded-random.js";
import { dealt } from "../../support/dealt.js";

const STATUSES = [200, 404, 503, 504];

/** The same random requests recorded by one recorder and, in total, by three. */
function recordBoth(requests: number) {
  const random = createSeededRandom(3);
  const pick = <T>(from: readonly T[]): T =>
    from[Math.floor(random() * from.length)]!;
  const alone = new TrafficRecorder(0);
  const several = [0, 1, 2].map(() => new TrafficRecorder(0));
  for (let i = 0; i < requests; i++) {
    const side = pick<Side>(["prod", "canary"]);
    const asked = { method: "GET", url: pick(["/a", "/b/1", "/c?x"]) };
    const outcome = {
      status: pick(STATUSES),
      rescued: side === "canary" && random() < 0.2,
      withoutFeature: side === "prod" && random() < 0.2,
    };
    const endsAt = i + random() * 400;
    for (const recorder of [alone, pick(several)]) {
      const pending = recorder.begin(dealt(side), i, asked);
      if (i % 10 !== 0) recorder.finish(pending, outcome, endsAt);
    }
  }
  return { alone, several };
}

function takeWindow(sum: TrafficSum, now: number): TrafficWindows {
  return sum.takeWindows(now, SPLIT_HOLDS).at(-1)!;
}

describe("proxy traffic sum", () => {
  it("has a window for each weight that its threads dealt by", () => {
    let weight = 200;
    const sum = new TrafficSum(0);
    const createThread = (): TrafficRecorder => {
      const recorder: TrafficRecorder = new TrafficRecorder(0, (ended) =>
        sum.add(recorder, ended),
      );
      return recorder;
    };
    const threads = [createThread(), createThread()];
    const [one, other] = threads as [TrafficRecorder, TrafficRecorder];
    const deal = (recorder: TrafficRecorder, count: number) => {
      for (let i = 0; i < count; i++)
        recorder.begin({ ...dealt("prod"), weight }, 1);
    };
    const take = (now: number) => {
      for (const thread of threads) sum.add(thread, thread.takeWindow(now));
      return sum
        .takeWindows(now, weight)
        .map(({ weight, prod }) => [weight, prod.dealt, prod.windowMs]);
    };
    deal(one, 3);
    deal(other, 4);
    expect(take(500)).to.deep.equal([
      [SPLIT_HOLDS, 0, 500],
      [200, 7, 0],
    ]);
    deal(one, 1);
    deal(other, 2);
    weight = 1000;
    deal(one, 5);
    expect(take(1000)).to.deep.equal([
      [200, 3, 500],
      [1000, 5, 0],
    ]);
    expect(take(1500)).to.deep.equal([[1000, 0, 500]]);
    deal(one, 2);
    weight = 2500;
    deal(one, 1);
    deal(other, 1);
    weight = 0;
    deal(other, 8);
    const taken = take(2000).map(([weight, dealt]) => [weight, dealt]);
    expect(taken.pop()).to.deep.equal([0, 8]);
    expect(taken).to.have.deep.members([
      [1000, 2],
      [2500, 2],
    ]);
    expect(sum.totals.prod.dealt).to.equal(27);
  });

  it("has the same window as a single recorder of all requests", () => {
    const { alone, several } = recordBoth(3000);
    const merged = new TrafficSum(0);
    // Routes get entries in the order of arrival. Adding in two parts must not lose any either.
    for (const recorder of several)
      merged.add(recorder, recorder.takeWindow(5000));
    for (const recorder of several)
      merged.add(recorder, recorder.takeWindow(5000));
    const [one, all] = [alone.takeWindow(5000), takeWindow(merged, 5000)];
    // Which recorder saw a path's first success decides which of its first requests count for it.
    const total = (routes: Record<string, { requests: number }> = {}) =>
      Object.values(routes).reduce((sum, it) => sum + it.requests, 0);
    for (const side of SIDES) {
      const { routes, instances, ...rest } = all[side];
      expect(instances).to.deep.equal({});
      const { routes: expected, ...restOfOne } = one[side];
      expect(rest).to.deep.equal(restOfOne);
      expect(total(routes)).to.equal(total(expected));
      expect(Object.keys(routes!)).to.have.members(Object.keys(expected!));
    }
    for (const side of SIDES) {
      const { chosen, status, withoutFeature } = merged.totals[side];
      expect(withoutFeature).to.equal(one[side].withoutFeature);
      expect(chosen).to.equal(one[side].arms.chosen);
      expect(Object.fromEntries(status)).to.deep.equal(one[side].status);
    }
  });

  it("starts each window empty and keeps the totals", () => {
    const { several } = recordBoth(100);
    const merged = new TrafficSum(0);
    for (const recorder of several)
      merged.add(recorder, recorder.takeWindow(500));
    const readTotals = () => SIDES.map((side) => merged.totals[side].chosen);
    const totals = readTotals();
    takeWindow(merged, 500);
    const { prod, canary } = takeWindow(merged, 900);
    expect(prod).to.deep.include({ requests: 0, status: {}, windowMs: 400 });
    expect(canary).to.deep.include({ requests: 0, latency: [], routes: {} });
    expect(readTotals()).to.deep.equal(totals);
  });

  it("counts each request once in its totals, across ended and current windows", () => {
    const sum = new TrafficSum(0);
    const recorder = new TrafficRecorder(0);
    const answer = (status: number) => {
      const pending = recorder.begin(dealt("prod"), 0);
      recorder.finish(pending, { status, rescued: false }, 10);
    };
    const count = () => {
      sum.add(recorder, recorder.takeWindow(10));
      const { status, latency } = sum.totals.prod;
      return [status.get(200), status.get(503), latency.total];
    };
    answer(200);
    expect(count()).to.deep.equal([1, undefined, 1]);
    takeWindow(sum, 500);
    answer(200);
    answer(503);
    for (let read = 0; read < 2; read++)
      expect(count()).to.deep.equal([2, 1, 3]);
    takeWindow(sum, 1000);
    expect(count()).to.deep.equal([2, 1, 3]);
    expect(sum.totals.canary.latency.total).to.equal(0);
  });

  it("counts waiting requests from each live recorder's last windows", () => {
    const [recorder, other] = [new TrafficRecorder(0), new TrafficRecorder(0)];
    const pending = recorder.begin(dealt("canary"), 0);
    other.begin(dealt("canary"), 0);
    const merged = new TrafficSum(0);
    const waiting = () => {
      const { waiting: seen = [] } = takeWindow(merged, 100).canary;
      return seen.reduce((sum, [, count]) => sum + count, 0);
    };
    merged.add(recorder, recorder.takeWindow(50));
    merged.add(recorder, recorder.takeWindow(60));
    merged.add(other, other.takeWindow(60));
    expect(waiting()).to.equal(2);
    recorder.finish(pending, { status: 200, rescued: false }, 70);
    merged.add(recorder, recorder.takeWindow(80));
    expect(waiting()).to.equal(1);
    merged.forget(other);
    expect(waiting()).to.equal(0);
  });

  it("gives the entry of an idle route to another route", () => {
    const merged = new TrafficSum(0);
    const recorder = new TrafficRecorder(0);
    const take = (now: number, ...pages: string[]) => {
      for (const page of pages) {
        const asked = { method: "GET", url: `/${page}` };
        const pending = recorder.begin(dealt("prod"), 0, asked);
        recorder.finish(pending, { status: 200, rescued: false }, 1);
      }
      merged.add(recorder, recorder.takeWindow(now));
      return Object.keys(takeWindow(merged, now).prod.routes ?? {});
    };
    const pages = (name: string) =>
      Array.from({ length: 50 }, (_, i) => `${name}-${i}`);
    expect(take(1, ...pages("old"))).to.have.length(50);
    take(2 + IDLE_MS, "old-0");
    const after = take(3 + IDLE_MS, ...pages("new"));
    expect(after.filter((name) => name.startsWith("GET /new"))).to.have.length(
      49,
    );
    expect(after).not.to.include("GET /old-1");
  });

  it("has at most one recorder's number of routes, and puts the others into one", () => {
    const merged = new TrafficSum(0);
    for (let r = 0; r < 2; r++) {
      const recorder = new TrafficRecorder(0);
      for (let i = 0; i < 50; i++) {
        const asked = { method: "GET", url: `/${r}-${i}` };
        const pending = recorder.begin(dealt("prod"), 0, asked);
        recorder.finish(pending, { status: 200, rescued: false }, 1);
      }
      merged.add(recorder, recorder.takeWindow(1));
    }
    const { routes = {} } = takeWindow(merged, 1).prod;
    expect(Object.keys(routes)).to.have.length(51);
    expect(routes.other).to.include({ requests: 50 });
  });
});
