import { expect } from "chai";
import { monotonicMs } from "../support/system/monotonic.js";
import {
  untilCanaryServes,
  untilLoadIsPast,
  untilMailsArrive,
  untilProxySees,
  untilState,
  untilWhole,
} from "../support/system/conditions.js";
import { heldUpTime } from "../support/running-time.js";
import {
  NO_LATENCY_RULE,
  sendSlowRequests,
  shareSystem,
  startLoad,
} from "../support/system/start-system.js";
import type { Environment } from "../support/system/child-program.js";
import type { System } from "../support/system/system.js";

const COOLDOWN_MS = 300;
/** Time for a person to act before the monitor does. */
const ROOMY_COOLDOWN_MS = 6000;
const BY_HAND_MS = 100;
/** None of them has waited for a poll, which comes once a second. */
const LATEST_BY_HAND_MS = 500;
const SETS = 5;

/** Waits until the monitor has judged healthy samples for much longer than the cool-down. */
async function outwaitCooldown(
  system: System,
  waitMs = 4 * COOLDOWN_MS,
): Promise<void> {
  const { at } = (await system.state()).flag;
  await untilState(system, "a later sample", ({ hosts }) => {
    const canary = hosts.find(({ target }) => target === "canary");
    const seenAt = Date.parse(canary?.seenAt ?? "");
    return seenAt - Date.parse(at!) > waitMs;
  });
}

describe("an operator", function () {
  this.timeout(60_000);

  const shared = shareSystem();
  let system: System;
  let flipsBefore: number;

  /** What the ledger has got since the test began. */
  const flips = async () => (await system.events("flip")).slice(flipsBefore);

  /** With a monitor as the test needs it, and the canary let in. */
  const begin = async (env: Environment) => {
    system = shared();
    await system.monitor.end("SIGTERM");
    await system.monitor.start(env);
    await untilState(system, "it to lead", ({ lease }) => lease !== null);
    await system.setFlag(true);
    await untilWhole(system);
    await untilMailsArrive(system, 0);
    system.mailSink.mails.splice(0);
    flipsBefore = (await system.events("flip")).length;
  };

  it("switches the flag off through the API, and the monitor leaves it off", async () => {
    await begin({ COOLDOWN_MS: String(COOLDOWN_MS) });
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
    expect(await flips()).to.have.length(1);
  });

  it("takes over a flag that the monitor switched off, and the monitor leaves it off", async () => {
    await begin({ COOLDOWN_MS: String(ROOMY_COOLDOWN_MS) });
    await sendSlowRequests(system);
    await untilProxySees(system, false);
    await system.setFlag(false);
    await outwaitCooldown(system, ROOMY_COOLDOWN_MS + 1000);

    expect((await system.state()).flag).to.include({
      value: false,
      by: "operator",
    });
    expect((await system.proxyStatus()).flag.value).to.equal(false);
    expect(
      (await flips()).map(({ by, data }) => [by, data.value]),
    ).to.deep.equal([
      ["monitor", false],
      ["operator", false],
    ]);
  });

  it("lets the canary in again before the cool-down is over", async () => {
    await begin({ COOLDOWN_MS: "60000" });
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
    await begin({ ...NO_LATENCY_RULE, COOLDOWN_MS: String(COOLDOWN_MS) });
    const load = startLoad(system, { perSecond: 200 });
    const { redis, keys } = system;
    const delaysMs: number[] = [];
    let openedAt = -Infinity;
    for (let sets = 1; ; sets++) {
      await untilCanaryServes(load, openedAt);
      const setAt = monotonicMs();
      const heldUpBefore = heldUpTime();
      await redis.set(keys.flag("feature"), "false");
      await untilLoadIsPast(load, setAt + 2 * LATEST_BY_HAND_MS);
      const lastStartAt = await system.canaryApp.lastRequestStart();
      const heldUpMs = heldUpTime() - heldUpBefore;
      delaysMs.push(lastStartAt - setAt - heldUpMs);
      await untilMailsArrive(system, 2 * sets - 1);
      if (sets === SETS) break;
      openedAt = monotonicMs();
      await redis.set(keys.flag("feature"), "true");
      await untilMailsArrive(system, 2 * sets);
    }
    delaysMs.sort((a, b) => a - b);
    expect(delaysMs[Math.floor(SETS / 2)]).to.be.below(BY_HAND_MS);
    expect(delaysMs.at(-1)).to.be.below(LATEST_BY_HAND_MS);

    await outwaitCooldown(system);
    expect(await redis.get(keys.flag("feature"))).to.equal("false");
    expect((await flips()).map(({ by }) => by)).to.deep.equal(
      Array(2 * SETS - 1).fill("operator"),
    );
    await redis.set(keys.flag("feature"), "true");
    await untilProxySees(system, true);
    await untilMailsArrive(system, 2 * SETS);
    // On a busy machine a probe may be late, which is an alert of its own.
    const subjects = system.mailSink.subjects.filter((subject) =>
      /canary (stopped|resumed)/.test(subject ?? ""),
    );
    expect(subjects).to.have.length(2 * SETS);
    await load.stop();
    expect(load.failures).to.deep.equal([]);
  });
});
