import { expect } from "chai";
import { findLeader } from "../support/system/find-leader.js";
import {
  untilMailsArrive,
  untilProxySees,
  untilState,
} from "../support/system/conditions.js";
import {
  sendSlowRequests,
  startSystem,
} from "../support/system/start-system.js";

const TAKEOVER_MS = 5000;

describe("a leading monitor that is paused and wakes up", function () {
  this.timeout(60_000);

  it("writes nothing about the breach that the other one has answered", async () => {
    const system = await startSystem({ monitors: 2 });
    const { leader, standby } = await findLeader(system);
    leader.signal("SIGSTOP");
    await sendSlowRequests(system);
    await standby.logs("leading", TAKEOVER_MS);
    await untilProxySees(system, false, TAKEOVER_MS);
    await untilMailsArrive(system, 1);
    const before = {
      lease: (await system.state(standby)).lease?.holder,
      info: await system.redis.hgetall(system.keys.flagInfo("feature")),
      ledger: await system.redis.xlen(system.keys.events),
      alerts: await system.redis.hlen(system.keys.alerts),
    };

    leader.signal("SIGCONT");
    await leader.logs("no longer leading");
    // What it has slept through is then behind it.
    await untilState(
      system,
      "it to have heard the agents again",
      ({ hosts }) =>
        hosts.every(({ seenAt }) => Date.now() - Date.parse(seenAt) < 1000),
      leader,
    );
    expect({
      lease: (await system.state(leader)).lease?.holder,
      info: await system.redis.hgetall(system.keys.flagInfo("feature")),
      ledger: await system.redis.xlen(system.keys.events),
      alerts: await system.redis.hlen(system.keys.alerts),
    }).to.deep.equal(before);
    expect(system.mailSink.mails).to.have.length(1);

    await system.setFlag(true, leader);
    await untilProxySees(system, true);
    await sendSlowRequests(system);
    await untilProxySees(system, false);
    await untilMailsArrive(system, 3);
    expect(await system.events("flip")).to.have.length(3);
    expect(system.mailSink.mails).to.have.length(3);
  });
});
