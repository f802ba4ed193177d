import { expect } from "chai";
import { startFleet } from "../../support/monitor/fleet.js";
import { startLeader } from "../../support/programs/monitor-program.js";
import { runningTime } from "../../support/running-time.js";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";
import { waitFor } from "../../support/wait-for.js";

describe("monitor, when the flag is set with redis-cli", () => {
  let test: TestRedis;
  const ofPeople = async () =>
    (await test.events()).filter(({ kind }) => kind !== "start");

  beforeEach(() => {
    test = openTestRedis();
    startFleet(test);
  });

  it("records it in the ledger at once, as one flip of an operator", async () => {
    const monitor = await startLeader(test);
    const began = runningTime();
    await test.redis.set(test.keys.flag("feature"), "false");
    await waitFor("the event", async () => (await ofPeople()).length === 1);
    expect(runningTime() - began).to.be.below(1000);
    await waitFor("the mail", () => monitor.mails() === 1);
    const { flag } = await monitor.state();
    expect(flag).to.include({
      name: "feature",
      value: false,
      by: "operator",
      reason: 'the flag was set to "false" directly in Redis',
    });
    expect(await ofPeople()).to.have.length(1);
  });

  it("records a value that was set while no monitor ran", async () => {
    await test.redis.set(test.keys.flag("feature"), "false");
    await startLeader(test);
    await waitFor("the event", async () => (await ofPeople()).length === 1);
  });

  it("reports a garbled value once, and serves it as false", async () => {
    const monitor = await startLeader(test);
    await test.redis.set(test.keys.flag("feature"), "flase");
    const alerts = async () =>
      (await ofPeople()).filter(({ kind }) => kind === "alert");
    await waitFor("the alert", async () => (await alerts()).length > 0);
    const since = Date.now();
    await waitFor("more rounds", () => Date.now() - since > 1500);
    expect(await alerts()).to.have.length(1);
    expect((await monitor.state()).flag.value).to.be.false;
    await test.redis.set(test.keys.flag("feature"), "true");
    await waitFor("its end", async () =>
      (await ofPeople()).some(({ reason }) =>
        reason.endsWith("holds true or false again"),
      ),
    );
    expect((await monitor.state()).flag).to.include({
      value: true,
      by: "operator",
    });
  });
});
