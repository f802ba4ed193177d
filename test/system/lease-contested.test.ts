import { expect } from "chai";
import {
  untilMailsArrive,
  untilProxySees,
} from "../support/system/conditions.js";
import {
  sendSlowRequests,
  startSystem,
} from "../support/system/start-system.js";

describe("two monitors, whose lease is deleted by hand during a breach", function () {
  this.timeout(60_000);

  it("make one flip and one mail, although the old leader cannot know at once that it has lost", async () => {
    const system = await startSystem({ monitors: 2 });
    await Promise.all([
      system.redis.del(system.keys.lease),
      sendSlowRequests(system),
    ]);
    await untilProxySees(system, false);

    const { lease } = await system.state();
    expect(lease?.epoch).to.be.above(1);
    await untilMailsArrive(system, 1);
    expect(await system.events("flip")).to.have.length(1);
    expect(system.mailSink.mails).to.have.length(1);
  });
});
