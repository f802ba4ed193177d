import { expect } from "chai";
import { Breaker } from "../../../apps/proxy/canary/breaker.js";
import { CanaryStop } from "../../../apps/proxy/canary/canary-stop.js";
import {
  RECENT_CELLS,
  RecentRequests,
  RecentSum,
} from "../../../apps/proxy/canary/recent-requests.js";
import type { Flip, FlipOutcome, NewEvent } from "../../../lib/flag/ledger.js";
import { createMemoryLogger } from "../../support/logger.js";
import { waitFor } from "../../support/wait-for.js";

/** A breaker whose trips are judged at a time that the test sets. */
function prepare(answers: (FlipOutcome | Error)[] = []) {
  const clock = { ms: 100_000 };
  const cells = new Int32Array(RECENT_CELLS);
  const record = new RecentRequests(cells, 0);
  const recent = new RecentSum();
  recent.add(cells);
  const flips: Flip[] = [];
  const events: NewEvent[] = [];
  const breaker = new Breaker();
  const stop = new CanaryStop({
    ...{ breaker, recent },
    now: () => clock.ms,
    ledger: {
      flip: (_name, flip) => {
        flips.push(flip);
        const answer = answers.shift() ?? "changed";
        return answer instanceof Error
          ? Promise.reject(answer)
          : Promise.resolve(answer);
      },
      record: (event) => {
        events.push(event);
        return Promise.resolve("changed");
      },
    },
    flagName: "feature",
    readFlip: () => "7-0",
    readSource: () => "proxy@edge1:8080",
    logger: createMemoryLogger(),
  });
  /** Both sides fail five requests each. */
  const failBoth = () => {
    clock.ms += 1000;
    for (const side of ["prod", "canary", "prod", "canary"] as const) {
      const request = { side, startedAt: clock.ms };
      record.begin(side, clock.ms);
      record.end(request, { failed: true }, clock.ms);
    }
    while (!breaker.isTripped) breaker.record("canary", true);
    stop.begin(breaker.trip!);
  };
  const failCanary = () => {
    while (!breaker.isTripped) breaker.record("canary", true);
    stop.begin(breaker.trip!);
  };
  return { clock, breaker, flips, events, failBoth, failCanary };
}

describe("proxy canary stop", () => {
  it("opens the canary again, with an event, when prod failed alike", () => {
    const { breaker, flips, events, failBoth } = prepare();
    failBoth();
    expect(breaker.isTripped).to.equal(false);
    expect(flips).to.be.empty;
    expect(events.map(({ kind, by }) => `${kind} by ${by}`)).to.deep.equal([
      "recovery by proxy",
    ]);
  });

  it("leaves a flag that was flipped while it could not write, and opens the canary", async () => {
    const { breaker, flips, failCanary } = prepare([
      new Error("Redis is away"),
      "conflict",
    ]);
    failCanary();
    await waitFor("the retry", () => flips.length === 2);
    expect(flips.map(({ supersedes }) => supersedes)).to.deep.equal([
      undefined,
      "7-0",
    ]);
    expect(breaker.isTripped).to.equal(false);
  });

  it("stops a canary at the eleventh trip in ten minutes, whatever prod does", () => {
    const { clock, breaker, flips, events, failBoth } = prepare();
    for (let trip = 1; trip <= 10; trip++) failBoth();
    expect(flips).to.be.empty;
    failBoth();
    expect(events).to.have.length(10);
    expect(flips).to.have.length(1);
    expect(breaker.isTripped).to.equal(true);
    breaker.reset();
    clock.ms += 600_000;
    failBoth();
    expect(flips).to.have.length(1);
  });
});
