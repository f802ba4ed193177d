import { expect } from "chai";
import { expectCooldown } from "../support/monitor/cooldown.js";
import {
  untilMailsArrive,
  untilProxySees,
} from "../support/system/conditions.js";
import {
  sendSlowRequests,
  startSystem,
} from "../support/system/start-system.js";
import { waitFor } from "../support/wait-for.js";

const COOLDOWN_MS = 1000;

describe("recovery", function () {
  this.timeout(60_000);

  it("lets the canary in after the cool-down, after twice that the next time, and after a third breach not at all", async () => {
    const system = await startSystem({
      env: {
        monitor: { COOLDOWN_MS: String(COOLDOWN_MS) },
        // It limits the probe too, and one that takes longer starts the cool-down over.
        agent: { SAMPLE_INTERVAL_MS: "1000" },
      },
    });
    for (const breaches of [1, 2]) {
      await sendSlowRequests(system);
      await waitFor(
        `${breaches} stops and as many resumptions`,
        async () => (await system.events("flip")).length === 2 * breaches,
      );
      await untilProxySees(system, true);
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
    const [first, second] = [COOLDOWN_MS, 2 * COOLDOWN_MS];
    expectCooldown({ stop: flips[0]!, resume: flips[1]!, cooldownMs: first });
    expectCooldown({ stop: flips[2]!, resume: flips[3]!, cooldownMs: second });
    expect(await system.events("recovery")).to.have.length(2);

    await system.setFlag(true);
    await untilProxySees(system, true);
    expect((await system.state()).recovery.latched).to.equal(false);

    await untilMailsArrive(system, 6);
    const titles = system.mailSink.subjects.map((subject) =>
      /^\[serin\] \S+ (stopped and latched|stopped|resumed)/
        .exec(subject ?? "")
        ?.at(1),
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
});
