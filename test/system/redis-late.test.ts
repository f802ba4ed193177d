import { expect } from "chai";
import { onCleanup } from "../support/cleanup.js";
import { RedisProgram } from "../support/system/redis-program.js";
import {
  untilCanaryServes,
  untilMailsArrive,
  untilProxySees,
  untilWhole,
} from "../support/system/conditions.js";
import {
  createSystem,
  sendSlowRequests,
  startLoad,
} from "../support/system/start-system.js";
import { tally } from "../support/system/steady-load.js";
import { waitFor } from "../support/wait-for.js";

describe("Redis, absent when every program starts", function () {
  this.timeout(60_000);

  it("keeps none of them from serving, prod alone, and once it is there the whole loop closes", async () => {
    const redis = await RedisProgram.create();
    onCleanup(() => redis.close());
    const system = await createSystem({ redisUrl: redis.url });
    await system.start();
    const load = startLoad(system);
    await waitFor("answers", () => load.outcomes.length >= 40);
    expect(tally(load.outcomes)).to.have.all.keys("prod 200");
    expect((await system.proxyStatus()).canary.because).to.equal(
      "flag is unknown: Redis has not answered yet",
    );

    await redis.start();
    await untilWhole(system);
    await untilCanaryServes(load);
    await load.stop();
    expect(load.failures).to.deep.equal([]);
    await waitFor("the starts in the ledger", async () => {
      const starts = await system.events("start");
      // Apps announce nothing.
      return starts.length === 4;
    });

    await sendSlowRequests(system);
    await untilProxySees(system, false);
    await untilMailsArrive(system, 1);
    expect(system.mailSink.mails).to.have.length(1);
  });
});
