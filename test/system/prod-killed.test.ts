import { expect } from "chai";
import { monotonicMs } from "../support/system/monotonic.js";
import {
  NO_LATENCY_RULE,
  startLoad,
  startSystem,
} from "../support/system/start-system.js";
import { tally } from "../support/system/steady-load.js";
import { waitFor } from "../support/wait-for.js";

describe("a prod app that is killed", function () {
  this.timeout(60_000);

  it("leaves the canary's share as it is, has its own share told 503, and serves again when it is back", async () => {
    const system = await startSystem({ env: { monitor: NO_LATENCY_RULE } });
    const load = startLoad(system, { perSecond: 100 });
    await system.prodApp.end("SIGKILL");
    const goneAt = monotonicMs();
    const outcomes = await waitFor("two seconds of load", () => {
      const due = load
        .since(goneAt)
        .filter(({ dueAt }) => dueAt <= goneAt + 2000);
      return due.length >= 200 && due;
    });
    const { "prod 503": refused, "canary 200": served } = tally(outcomes);
    expect((refused ?? 0) + (served ?? 0)).to.equal(200);
    // 50, but for the blocks of four that lie across the ends, and requests that overtake others.
    expect(served).to.be.within(47, 53);

    const backAt = monotonicMs();
    await system.prodApp.start();
    await waitFor("prod again", () =>
      load
        .since(backAt)
        .some(({ servedBy, status }) => servedBy === "prod" && status === 200),
    );
    const servedAt = monotonicMs();
    await waitFor("more load", () => load.since(servedAt).length >= 20);
    await load.stop();
    expect(tally(load.since(servedAt))).to.have.keys("prod 200", "canary 200");
  });
});
