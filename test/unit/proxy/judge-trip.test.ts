import { expect } from "chai";
import {
  judgeTrip,
  lateAfterMs,
} from "../../../apps/proxy/canary/judge-trip.js";
import {
  RECENT_CELLS,
  RecentRequests,
  RecentSum,
} from "../../../apps/proxy/canary/recent-requests.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";

const TRIPPED_AT = 100_000;

/** A request by when it began and how long it took: negative for a failure, Infinity for one that still waits. */
type Request = readonly [side: Side, beganMsAgo: number, lastedMs: number];

/** The proxy's record of these requests by two threads whose clocks differ, judged `waitedMs` after the trip. */
function judge(requests: readonly Request[], waitedMs = 0, isLastWord = false) {
  const sum = new RecentSum();
  const threads = [0, 7000].map((offset) => {
    const cells = new Int32Array(RECENT_CELLS);
    sum.add(cells);
    const record = new RecentRequests(cells, offset);
    return { record, at: (ms: number) => ms - offset };
  });
  const byAge = requests.toSorted(([, a], [, b]) => b - a);
  for (const [i, [side, beganMsAgo, lastedMs]] of byAge.entries()) {
    const { record, at } = threads[i % 2]!;
    const began = TRIPPED_AT - beganMsAgo;
    const ended = began + Math.abs(lastedMs);
    record.begin(side, at(began));
    if (ended > TRIPPED_AT + waitedMs) continue;
    const request = { side, startedAt: at(began) };
    record.end(request, { failed: lastedMs < 0 }, at(ended));
  }
  const since = sum.beginOfLastFailures("canary", 5, TRIPPED_AT);
  const time = { since, until: TRIPPED_AT };
  const canary = sum.read("canary", time);
  const lateMs = lateAfterMs(canary);
  return judgeTrip(
    {
      canary,
      prod: sum.read("prod", { ...time, lateMs }),
      usual: sum.read("prod", { until: since - 1, lateMs }),
    },
    isLastWord,
  );
}

/** One request each `everyMs`, the last of them `untilMs` ago. */
function each(
  side: Side,
  [fromMs, untilMs]: readonly [number, number],
  everyMs: number,
  lastedMs: number,
): Request[] {
  const count = Math.round((fromMs - untilMs) / everyMs);
  return Array.from({ length: count }, (_, i) => [
    side,
    fromMs - i * everyMs,
    lastedMs,
  ]);
}

describe("proxy trip, when prod's outcome of the same time is known", () => {
  const failing = each("canary", [400, 0], 80, -5);

  it("is confirmed at once when prod answers", () => {
    const prod = each("prod", [5000, 20], 27, 10);
    expect(judge([...failing, ...prod, ["prod", 5, 10]])).to.equal("confirmed");
  });

  it("is confirmed when prod got no request in that time", () => {
    expect(judge(failing)).to.equal("confirmed");
  });

  it("is withdrawn when prod failed alike", () => {
    const prod = each("prod", [400, 0], 27, -5);
    expect(judge([...failing, ...prod])).to.equal("withdrawn");
  });

  describe("in a stall of 3 s, after which the canary's requests fail", () => {
    const canary = each("canary", [3000, 0], 250, 0).map(
      ([side, beganMsAgo]): Request => [side, beganMsAgo, -beganMsAgo],
    );
    const prod = (lastedMs: number) => each("prod", [3000, 0], 83, lastedMs);
    const usual = each("prod", [60_000, 3000], 83, 10);

    it("waits for prod's requests, and is withdrawn when they fail as well", () => {
      const all = [...usual, ...canary, ...prod(-3200)];
      expect(judge(all)).to.equal(undefined);
      expect(judge(all, 3200)).to.equal("withdrawn");
    });

    it("is withdrawn when prod's requests are answered after as long a wait", () => {
      const all = [...usual, ...canary, ...prod(3500)];
      expect(judge(all, 3500)).to.equal("withdrawn");
    });

    it("is withdrawn when prod's requests still wait at the end", () => {
      const all = [...usual, ...canary, ...prod(Infinity)];
      expect(judge(all, 10_000)).to.equal(undefined);
      expect(judge(all, 10_000, true)).to.equal("withdrawn");
    });

    it("is confirmed when prod answers sooner", () => {
      expect(judge([...usual, ...canary, ...prod(700)], 700)).to.equal(
        "confirmed",
      );
    });
  });

  it("is confirmed for a canary that gives up early on what prod always waits for", () => {
    const canary = each("canary", [3000, 0], 250, -1500);
    const prod = each("prod", [60_000, 0], 83, 3000);
    expect(judge([...canary, ...prod])).to.equal(undefined);
    expect(judge([...canary, ...prod], 3100)).to.equal("confirmed");
  });

  it("is confirmed at the end when only prod's long polls wait, as ever", () => {
    const polls = each("prod", [60_000, 0], 40, 25_000);
    expect(judge([...failing, ...polls], 10_000, true)).to.equal("confirmed");
  });
});
