import { expect } from "chai";
import { LEASE_MS } from "../../../lib/flag/lease-reading.js";
import { encodeLease } from "../../support/redis/lease.js";
import { writeTelemetry } from "../../../lib/telemetry/telemetry.js";
import { startFleet, type Fleet } from "../../support/monitor/fleet.js";
import {
  spawnLeader,
  startLeader,
  startMonitorProgram,
  type MonitorProgram,
} from "../../support/programs/monitor-program.js";
import { runningTime } from "../../support/running-time.js";
import { times, trafficWindow } from "../../support/monitor/telemetry.js";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";
import { waitFor } from "../../support/wait-for.js";

const CALM = { COOLDOWN_MS: "600000" };

describe("two monitors", () => {
  let test: TestRedis;
  let fleet: Fleet;

  const flag = () => test.redis.get(test.keys.flag("feature"));
  const untilFlag = (value: string) =>
    waitFor(`the flag to be ${value}`, async () => (await flag()) === value);
  const flips = async () =>
    (await test.events()).filter(({ kind }) => kind === "flip");
  const untilSettled = async () => {
    const since = Date.now();
    await waitFor("a while", () => Date.now() - since > 1500);
  };
  const hasHeard = async (monitor: MonitorProgram) =>
    (await monitor.state().catch(() => null))?.hosts.length === 2;

  /** @param start `spawnLeader` to kill or pause the leader */
  const startBoth = async <Leader extends MonitorProgram>(
    start: (test: TestRedis, env: typeof CALM) => Promise<Leader>,
  ) => {
    const leader = await start(test, CALM);
    const standby = await startMonitorProgram(test, CALM);
    await waitFor("both to hear", async () => {
      return (await hasHeard(leader)) && (await hasHeard(standby));
    });
    const mails = () => leader.mails() + standby.mails();
    return { leader, standby, mails };
  };

  beforeEach(() => {
    test = openTestRedis();
    fleet = startFleet(test);
  });

  it("make one flip and send one mail when both see a breach", async () => {
    const { leader, standby, mails } = await startBoth(startLeader);
    fleet.latencyMs.canary = 900;
    await untilFlag("false");
    await waitFor("the mail", () => mails() > 0);
    await untilSettled();
    expect(await flips()).to.have.length(1);
    expect(mails()).to.equal(1);
    // Either may lead: a pause of the machine may have cost one the lease.
    await waitFor("one to lead", () => leader.leads() !== standby.leads());
  });

  it("hand over within five seconds of a kill, with one flip and one mail", async () => {
    const { leader, standby, mails } = await startBoth(spawnLeader);
    fleet.latencyMs.canary = 900;
    await untilFlag("false");
    await waitFor("the mail", () => mails() === 1);
    leader.child.kill("SIGKILL");
    const began = runningTime();
    await waitFor("the other to lead", () => standby.leads(), 8000);
    expect(runningTime() - began).to.be.below(5000);
    await untilSettled();
    expect(await flips()).to.have.length(1);
    expect(mails()).to.equal(1);
    expect((await standby.state()).lease?.epoch).to.be.above(1);
  }).timeout(40_000);

  it("lose no breach while no monitor leads", async () => {
    const { leader, standby } = await startBoth(spawnLeader);
    leader.child.kill("SIGKILL");
    fleet.latencyMs.canary = 900;
    await waitFor("the flag", async () => (await flag()) === "false", 8000);
    await waitFor("the mail", () => standby.mails() === 1);
    expect((await flips())[0]).to.include({ by: "monitor" });
  }).timeout(40_000);

  it("hand over at once when the leader stops in order", async () => {
    const { leader, standby } = await startBoth(startLeader);
    const began = runningTime();
    const stopped = leader.stop();
    await waitFor("the other to lead", () => standby.leads(), 8000);
    expect(runningTime() - began).to.be.below(2500);
    await stopped;
  });

  it("are not disturbed when a paused leader wakes up", async () => {
    const { leader, standby, mails } = await startBoth(spawnLeader);
    leader.child.kill("SIGSTOP");
    await waitFor("the other to lead", () => standby.leads(), 8000);
    fleet.latencyMs.canary = 900;
    await untilFlag("false");
    await waitFor("the mail", () => standby.mails() === 1);
    leader.child.kill("SIGCONT");
    await waitFor("the old one to stand by", () => !leader.leads());
    await waitFor("it to have heard", async () => hasHeard(leader));
    await untilSettled();
    expect(await flips()).to.have.length(1);
    expect(mails()).to.equal(1);
    expect(standby.leads()).to.be.true;
    expect((await leader.state()).lease).to.include({ epoch: 2 });
  }).timeout(40_000);
});

describe("a monitor that has lost its lease", () => {
  const OTHER = encodeLease("another", 99);
  let test: TestRedis;
  let fleet: Fleet;
  let monitor: MonitorProgram;

  const loseLease = () => test.redis.set(test.keys.lease, OTHER, "PX", 60_000);
  const untilItSeesTheSlowCanary = () =>
    waitFor("it to see the slow canary", async () => {
      // It has no connection right after its pause.
      const state = await monitor.state().catch(() => null);
      return (state?.sides.canary.p95Ms ?? 0) > 800;
    });

  /** @param start `spawnLeader` to pause it */
  const startHearing = async <Leader extends MonitorProgram>(
    start: (test: TestRedis, env: typeof CALM) => Promise<Leader>,
  ) => {
    const leader = await start(test, CALM);
    monitor = leader;
    await waitFor("it to hear", async () => {
      return (await leader.state()).hosts.length === 2;
    });
    return leader;
  };

  beforeEach(() => {
    test = openTestRedis();
    fleet = startFleet(test);
  });

  afterEach(async () => {
    expect((await test.events()).map(({ kind }) => kind)).to.deep.equal([
      "start",
    ]);
    expect(await test.outbox()).to.be.empty;
    expect(await test.redis.exists(test.keys.flag("feature"))).to.equal(0);
    expect(await test.redis.get(test.keys.lease)).to.equal(OTHER);
    expect(monitor.mails()).to.equal(0);
  });

  it("writes nothing when it wakes from a pause", async () => {
    const { child } = await startHearing(spawnLeader);
    child.kill("SIGSTOP");
    await loseLease();
    fleet.latencyMs.canary = 900;
    fleet.silent.add(fleet.agents.prod);
    const since = Date.now();
    await waitFor("it to miss a lot", () => Date.now() - since > 4000);
    child.kill("SIGCONT");
    await waitFor("it to stand by", () => !monitor.leads());
    await untilItSeesTheSlowCanary();
  }).timeout(40_000);

  it("is stopped by the fence while it still believes that it leads", async () => {
    await startHearing(startLeader);
    const data = trafficWindow("canary", times(50, 900), { windowMs: 100 });
    const slow = { kind: "traffic", source: fleet.proxy, at: 1, data } as const;
    fleet.silent.add(fleet.proxy);
    // Not shortly before the next renewal, which would also detect it.
    await waitFor(
      "a renewal",
      async () => (await test.redis.pttl(test.keys.lease)) > LEASE_MS - 100,
    );
    await Promise.all([
      loseLease(),
      writeTelemetry(test.redis, test.keys, [slow]),
    ]);
    await waitFor("it to be refused", () =>
      monitor.log.some(({ msg }) => msg === "the lease was lost: standing by"),
    );
    await untilItSeesTheSlowCanary();
    expect(monitor.leads()).to.be.false;
  });
});
