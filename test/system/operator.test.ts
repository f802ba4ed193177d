import { expect } from "chai";
import { monotonicMs } from "../support/system/monotonic.js";
import {
  untilCanaryServes,
  untilLoadIsPast,
  untilMailsArrive,
  untilProxySees,
  untilState,
} from "../support/system/conditions.js";
import { heldUpTime } from "../support/running-time.js";
import {
  NO_LATENCY_RULE,
  startLoad,
  startSystem,
} from "../support/system/start-system.js";
import type { System } from "../support/system/system.js";

const COOLDOWN_MS = 300;
const BY_HAND_MS = 100;
/** None of them has waited for a poll, which comes once a second. */
const LATEST_BY_HAND_MS = 500;
const SETS = 5;

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

  it("moves all traffic within 100 ms by SET in Redis, and finds it in the ledger and the mail", async () => {
    const system = await startSystem({
      env: {
        monitor: { ...NO_LATENCY_RULE, COOLDOWN_MS: String(COOLDOWN_MS) },
      },
    });
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
    expect((await system.events("flip")).map(({ by }) => by)).to.deep.equal(
      Array(2 * SETS - 1).fill("operator"),
    );
    await redis.set(keys.flag("feature"), "true");
    await untilProxySees(system, true);
    await untilMailsArrive(system, 2 * SETS);
    // On a busy machine a probe may be late, which is an alert of its own.
    const subjects = system.mailSink.subjects.filter((subject) =>
      /^\[serin\] \S+ (stopped|resumed)/.test(subject ?? ""),
    );
    expect(subjects).to.have.length(2 * SETS);
    await load.stop();
    expect(load.failures).to.deep.equal([]);
  });
});
