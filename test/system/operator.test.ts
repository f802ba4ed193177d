import { expect } from "chai";
import { monotonicMs } from "../support/system/monotonic.js";
import {
  untilCanaryServes,
  untilLoadIsPast,
  untilMailsArrive,
  untilProxySees,
  untilState,
} from "../support/system/conditions.js";
import {
  sendSlowRequests,
  startLoad,
  startSystem,
} from "../support/system/start-system.js";
import type { System } from "../support/system/system.js";

const COOLDOWN_MS = 300;
const BY_HAND_MS = 100;

/** Waits until the monitor has judged healthy samples for much longer than the cool-down. */
async function outwaitCooldown(system: System): Promise<void> {
  const { at } = (await system.state()).flag;
  await untilState(system, "a later sample", ({ hosts }) => {
    const canary = hosts.find(({ target }) => target === "canary");
    const seenAt = Date.parse(canary?.seenAt ?? "");
    return seenAt - Date.parse(at!) > 4 * COOLDOWN_MS;
  });
}

describe("an operator", function () {
  this.timeout(60_000);

  let system: System;

  beforeEach(async () => {
    system = await startSystem({
      env: { monitor: { COOLDOWN_MS: String(COOLDOWN_MS) } },
    });
  });

  it("switches the flag off through the API, and the monitor leaves it off", async () => {
    await system.setFlag(false);
    await untilProxySees(system, false);
    await outwaitCooldown(system);

    const { flag, recovery } = await system.state();
    expect(flag).to.include({
      value: false,
      by: "operator",
      reason: "a test asks for it",
    });
    expect(recovery).to.include({ nextTryAt: null, waitsFor: null });
    expect(await system.events("flip")).to.have.length(1);
  });

  it("takes over a flag that the monitor switched off, and the monitor leaves it off", async () => {
    await sendSlowRequests(system);
    await untilProxySees(system, false);
    await system.setFlag(false);
    await outwaitCooldown(system);

    expect((await system.state()).flag).to.include({
      value: false,
      by: "operator",
    });
    expect((await system.proxyStatus()).flag.value).to.equal(false);
  });

  it("lets the canary in again before the cool-down is over", async () => {
    await system.monitor.end("SIGTERM");
    await system.monitor.start({ COOLDOWN_MS: "60000" });
    await sendSlowRequests(system);
    await untilProxySees(system, false);
    await system.setFlag("toggle");
    await untilProxySees(system, true);

    expect((await system.state()).flag).to.include({
      value: true,
      by: "operator",
    });
  });

  it("moves all traffic within 100 ms by SET in Redis, and finds it in the ledger and the mail", async () => {
    const load = startLoad(system, { perSecond: 200 });
    const { redis, keys } = system;
    await untilCanaryServes(load);
    const setAt = monotonicMs();
    await redis.set(keys.flag("feature"), "false");
    await untilLoadIsPast(load, setAt + 500);
    const lastStartAt = await system.canaryApp.lastRequestStart();
    expect(lastStartAt - setAt).to.be.below(BY_HAND_MS);

    await outwaitCooldown(system);
    expect(await redis.get(keys.flag("feature"))).to.equal("false");
    const flips = await system.events("flip");
    expect(flips.map(({ by }) => by)).to.deep.equal(["operator"]);
    await untilMailsArrive(system, 1);
    await redis.set(keys.flag("feature"), "true");
    await untilProxySees(system, true);
    await untilMailsArrive(system, 2);
    expect(system.mailSink.mails).to.have.length(2);
    await load.stop();
    expect(load.failures).to.deep.equal([]);
  });
});
