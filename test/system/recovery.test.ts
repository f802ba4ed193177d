import { expect } from "chai";
import type { LedgerEvent } from "../../lib/ledger.js";
import { entryTimeMs } from "../../lib/stream-entry.js";
import {
  untilMailsArrive,
  untilProxySees,
  untilState,
} from "../support/system/conditions.js";
import {
  sendSlowRequests,
  startSystem,
} from "../support/system/start-system.js";

const COOLDOWN_MS = 1000;
/** The cool-down runs from when the breach was seen, a little before the flip is in the ledger. */
const CLOCK_SLACK_MS = 100;

/** Ms between two flips, by Redis's clock. */
function between(earlier: LedgerEvent, later: LedgerEvent): number {
  return entryTimeMs(later.id) - entryTimeMs(earlier.id);
}

describe("recovery", function () {
  this.timeout(60_000);

  it("lets the canary in after the cool-down, after twice that the next time, and after a third breach not at all", async () => {
    const system = await startSystem({
      env: { monitor: { COOLDOWN_MS: String(COOLDOWN_MS) } },
    });
    for (const breach of ["first", "second"]) {
      await sendSlowRequests(system);
      await untilState(
        system,
        `the ${breach} breach`,
        ({ recovery }) => recovery.nextTryAt,
      );
      await untilProxySees(system, true, 4 * COOLDOWN_MS);
    }
    await sendSlowRequests(system);
    await untilProxySees(system, false);

    const { flag, recovery } = await system.state();
    expect(flag).to.include({ value: false, by: "monitor" });
    expect(recovery).to.include({ latched: true, nextTryAt: null });
    const flips = await system.events("flip");
    expect(flips.map(({ by, data }) => [by, data.value])).to.deep.equal([
      ["monitor", false],
      ["monitor", true],
      ["monitor", false],
      ["monitor", true],
      ["monitor", false],
    ]);
    expect(between(flips[0]!, flips[1]!)).to.be.within(
      COOLDOWN_MS - CLOCK_SLACK_MS,
      2 * COOLDOWN_MS - CLOCK_SLACK_MS,
    );
    expect(between(flips[2]!, flips[3]!)).to.be.within(
      2 * COOLDOWN_MS - CLOCK_SLACK_MS,
      3 * COOLDOWN_MS,
    );
    expect(await system.events("recovery")).to.have.length(2);

    await system.setFlag(true);
    await untilProxySees(system, true);
    expect((await system.state()).recovery.latched).to.equal(false);

    await untilMailsArrive(system, 6);
    const titles = system.mailSink.subjects.map((subject) =>
      /canary (stopped and latched|stopped|resumed)/.exec(subject ?? "")?.at(1),
    );
    expect(titles).to.deep.equal([
      "stopped",
      "resumed",
      "stopped",
      "resumed",
      "stopped and latched",
      "resumed",
    ]);
  });

  it("does not come while the canary's health probes fail", async () => {
    const system = await startSystem({
      env: { monitor: { COOLDOWN_MS: String(COOLDOWN_MS) } },
    });
    await sendSlowRequests(system);
    await untilProxySees(system, false);
    await system.canaryApp.end("SIGKILL");
    await untilState(
      system,
      "the next try to be put off beyond the cool-down",
      ({ flag, recovery }) =>
        Date.parse(recovery.nextTryAt ?? "") - Date.parse(flag.at ?? "") >
        2 * COOLDOWN_MS,
    );
    expect((await system.state()).flag.value).to.equal(false);

    await system.canaryApp.start();
    await untilProxySees(system, true, 4 * COOLDOWN_MS);
  });
});
