import { expect } from "chai";
import type { ChildProgram } from "../support/system/child-program.js";
import { findLeader } from "../support/system/find-leader.js";
import { runningTime } from "../support/running-time.js";
import {
  untilMailsArrive,
  untilProxySees,
} from "../support/system/conditions.js";
import {
  sendSlowRequests,
  startSystem,
} from "../support/system/start-system.js";
import type { System } from "../support/system/system.js";

const TAKEOVER_MS = 5000;

describe("two monitors, whose leader is killed", function () {
  this.timeout(60_000);

  let system: System;
  let leader: ChildProgram;
  let standby: ChildProgram;

  beforeEach(async () => {
    system = await startSystem({ monitors: 2 });
    ({ leader, standby } = await findLeader(system));
  });

  it("cut a canary off that becomes slow just then: takeover within 5 s, one flip, one mail", async () => {
    const killed = leader.end("SIGKILL");
    const killedAt = runningTime();
    await Promise.all([killed, sendSlowRequests(system)]);
    await standby.logs("leading", TAKEOVER_MS);
    expect(runningTime() - killedAt).to.be.below(TAKEOVER_MS);
    await untilProxySees(system, false, TAKEOVER_MS);

    const { flag, lease } = await system.state(standby);
    expect(flag).to.include({ value: false, by: "monitor" });
    expect(lease?.holder).to.include(`:${standby.port}#`);
    await untilMailsArrive(system, 1);
    expect(await system.events("flip")).to.have.length(1);
    expect(system.mailSink.mails).to.have.length(1);
  });

  it("send the mail about a flip that the killed one made, once", async () => {
    await system.mailSink.close();
    await sendSlowRequests(system);
    await untilProxySees(system, false);
    await leader.logs("mail could not be sent and waits in the outbox");
    await leader.end("SIGKILL");
    await system.mailSink.open();
    await standby.logs("leading", TAKEOVER_MS);

    await untilMailsArrive(system, 1);
    expect(await system.events("flip")).to.have.length(1);
    expect(system.mailSink.mails).to.have.length(1);
  });
});
