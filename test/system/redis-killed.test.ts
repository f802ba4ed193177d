import { expect } from "chai";
import { onCleanup } from "../support/cleanup.js";
import { heldUpTime } from "../support/running-time.js";
import { monotonicMs } from "../support/system/monotonic.js";
import { RedisProgram } from "../support/system/redis-program.js";
import {
  untilCanaryServes,
  untilLoadIsPast,
  untilMailsArrive,
  untilProxySees,
  untilWhole,
} from "../support/system/conditions.js";
import {
  createSystem,
  sendSlowRequests,
  startLoad,
} from "../support/system/start-system.js";

/** The shortest that can be set. */
const FLAG_STALE_MS = 1500;
/** A request that was sent on just before still takes its way to the canary. */
const SLACK_MS = 250;

describe("Redis, killed and brought back under load", function () {
  this.timeout(60_000);

  it("costs no request: the canary stops in time and resumes, and the loop closes again by itself", async () => {
    const redis = await RedisProgram.create();
    onCleanup(() => redis.close());
    await redis.start();
    const system = await createSystem({
      redisUrl: redis.url,
      env: { proxy: { FLAG_STALE_MS: String(FLAG_STALE_MS) } },
    });
    await system.start();
    await untilWhole(system);
    const load = startLoad(system, { perSecond: 100 });
    await untilCanaryServes(load);

    const killedAt = monotonicMs();
    const heldUpBefore = heldUpTime();
    await redis.kill();
    await untilLoadIsPast(load, killedAt + FLAG_STALE_MS + 1000);
    expect((await system.proxyStatus()).canary).to.deep.equal({
      open: false,
      because: "flag is stale: Redis does not answer",
    });
    const lastStartAt = await system.canaryApp.lastRequestStart();
    expect(lastStartAt - killedAt).to.be.below(
      FLAG_STALE_MS + SLACK_MS + heldUpTime() - heldUpBefore,
    );

    const backAt = monotonicMs();
    await redis.start();
    await untilCanaryServes(load, backAt);
    await untilWhole(system);
    await load.stop();
    expect(load.failures).to.deep.equal([]);

    await sendSlowRequests(system);
    await untilProxySees(system, false);
    await untilMailsArrive(system, 1);
    expect(system.mailSink.subjects).to.have.length(1);
    expect(system.mailSink.subjects[0]).to.match(/^\[serin\] \S+ stopped: /);
  });
});
