import { expect } from "chai";
import { monotonicMs } from "../support/system/monotonic.js";
import {
  untilCanaryServes,
  untilLoadIsPast,
} from "../support/system/conditions.js";
import { heldUpTime } from "../support/running-time.js";
import {
  NO_LATENCY_RULE,
  startLoad,
  startSystem,
} from "../support/system/start-system.js";

const LEASE_MS = 3000;
/** A request that was sent on just before still takes its way to the canary. */
const SLACK_MS = 250;

describe("a proxy that requires the lease", function () {
  this.timeout(60_000);

  it("sends nothing to the canary from 3 s after the only monitor was killed until one is back", async () => {
    const system = await startSystem({
      env: {
        proxy: { CANARY_LEASE: "required" },
        monitor: NO_LATENCY_RULE,
      },
    });
    const load = startLoad(system, { perSecond: 100 });
    await untilCanaryServes(load);

    const killedAt = monotonicMs();
    const heldUpBefore = heldUpTime();
    await system.monitor.end("SIGKILL");
    await untilLoadIsPast(load, killedAt + LEASE_MS + 1000);
    const lastStartAt = await system.canaryApp.lastRequestStart();
    expect(lastStartAt - killedAt).to.be.below(
      LEASE_MS + SLACK_MS + heldUpTime() - heldUpBefore,
    );
    const { canary, flag } = await system.proxyStatus();
    expect(canary.because).to.match(/^no monitor leads/);
    expect(flag.value).to.equal(true);

    const backAt = monotonicMs();
    await system.monitor.start();
    await untilCanaryServes(load, backAt);
    await load.stop();
    expect(load.failures).to.deep.equal([]);
  });
});
