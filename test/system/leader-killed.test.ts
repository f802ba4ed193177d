import { expect } from "chai";
import type { ChildProgram } from "../support/system/child-program.js";
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

async function findLeader(system: System) {
  const { lease } = await system.state();
  const isLeader = ({ port }: ChildProgram) =>
    lease?.holder.includes(`:${port}#`) === true;
  const leader = system.monitors.find(isLeader)!;
  const standby = system.monitors.find((monitor) => monitor !== leader)!;
  return { leader, standby };
}

describe("two monitors, whose leader is killed", function () {
  this.timeout(60_000);

  it("cut a canary off that becomes slow just then: takeover within 5 s, one flip, one mail", async () => {
    const system = await startSystem({ monitors: 2 });
    const { leader, standby } = await findLeader(system);
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
});
