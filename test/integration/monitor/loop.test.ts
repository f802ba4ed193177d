import { expect } from "chai";
import { expectCooldown } from "../../support/monitor/cooldown.js";
import { startFleet, type Fleet } from "../../support/monitor/fleet.js";
import {
  startLeader,
  type MonitorProgram,
} from "../../support/programs/monitor-program.js";
import { runningTime } from "../../support/running-time.js";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";
import { waitFor } from "../../support/wait-for.js";

describe("monitor, from telemetry to flag", () => {
  let test: TestRedis;
  let fleet: Fleet;

  const flag = () => test.redis.get(test.keys.flag("feature"));
  const untilFlag = (value: string, timeoutMs = 8000) =>
    waitFor(
      `the flag to be ${value}`,
      async () => (await flag()) === value,
      timeoutMs,
    );
  const flips = async () =>
    (await test.events()).filter(({ kind }) => kind === "flip");
  const untilFlips = (count: number, timeoutMs = 8000) =>
    waitFor(
      `${count} flips`,
      async () => (await flips()).length >= count,
      timeoutMs,
    );
  const untilOutboxEmpty = () =>
    waitFor("an empty outbox", async () => (await test.outbox()).length === 0);
  /** Waits until it has judged all present telemetry, and more. */
  const untilJudged = async (monitor: MonitorProgram) => {
    const since = Date.now();
    await waitFor("news", async () => {
      const { hosts } = await monitor.state();
      return hosts.some(({ seenAt }) => Date.parse(seenAt) > since + 300);
    });
  };

  beforeEach(() => {
    test = openTestRedis();
    fleet = startFleet(test);
  });

  it("stops a canary that becomes slow: one flip with figures, one mail", async () => {
    const monitor = await startLeader(test, { COOLDOWN_MS: "60000" });
    await untilJudged(monitor);
    expect(await flag()).to.be.null;
    const began = runningTime();
    fleet.latencyMs.canary = 900;
    await untilFlag("false");
    expect(runningTime() - began).to.be.below(3000);
    const [flip] = await flips();
    expect(flip).to.include({ by: "monitor" });
    expect(flip!.reason).to.match(
      /^canary p95 9\d\d ms > 500 ms over 2 s \(\d+ requests\)$/,
    );
    expect(flip!.data).to.include({
      value: false,
      side: "canary",
      thresholdMs: 500,
    });
    await waitFor("the mail", () => monitor.mails() > 0);
    await untilJudged(monitor);
    expect(await flips()).to.have.length(1);
    expect(monitor.mails()).to.equal(1);
    await untilOutboxEmpty();
  });

  it("resumes a healthy canary, doubles the cool-down, and latches at the third breach", async () => {
    const monitor = await startLeader(test);
    fleet.latencyMs.canary = 900;
    await waitFor(
      "the latch",
      async () => (await monitor.state()).recovery.latched,
      20_000,
    );
    const made = await flips();
    expect(
      made.map(({ by, data }) => `${by} ${String(data.value)}`),
    ).to.deep.equal([
      "monitor false",
      "monitor true",
      "monitor false",
      "monitor true",
      "monitor false",
    ]);
    expectCooldown({ stop: made[0]!, resume: made[1]!, cooldownMs: 1000 });
    expectCooldown({ stop: made[2]!, resume: made[3]!, cooldownMs: 2000 });
    expect((await monitor.state()).recovery).to.deep.equal({
      mode: "auto",
      nextTryAt: null,
      latched: true,
      waitsFor: "a person: it was the third breach within an hour",
      attempt: 1,
    });

    fleet.latencyMs.canary = 4;
    const answer = await monitor.postFlag({ value: true, reason: "mended" });
    expect(answer.status).to.equal(200);
    const { flag: resumed, recovery } = await monitor.state();
    expect(resumed).to.include({ value: true, by: "operator" });
    expect(recovery.latched).to.be.false;
    fleet.latencyMs.canary = 900;
    await untilFlips(7);
    // Further events may follow a cool-down later.
    expect((await flips())[6]?.data.latched).to.be.false;
    await waitFor("the mails", () => monitor.mails() >= 7);
    await untilOutboxEmpty();
  }).timeout(60_000);

  it("does not resume the canary before a whole cool-down of healthy probes", async () => {
    const monitor = await startLeader(test);
    const healthy = fleet.samples.canary;
    fleet.samples.canary = {
      ...healthy,
      probe: { ok: false, ms: 2, status: 503 },
    };
    fleet.latencyMs.canary = 900;
    await untilFlag("false");
    fleet.latencyMs.canary = 4;
    const stoppedAt = Date.now();
    await waitFor("two cool-downs", () => Date.now() - stoppedAt > 2500);
    expect(await flag()).to.equal("false");
    expect((await monitor.state()).recovery.waitsFor).to.equal("the cool-down");
    fleet.samples.canary = healthy;
    const [healthyAt, began] = [performance.now(), runningTime()];
    await untilFlag("true");
    expect(performance.now() - healthyAt).to.be.at.least(900);
    expect(runningTime() - began).to.be.below(4000);
  });

  it("flips on a breach of prod too, then raises one alert for slow prod", async () => {
    // A window without requests, as after a pause of the fleet, is not slow.
    const monitor = await startLeader(test, { LATENCY_WINDOW_MS: "6000" });
    fleet.latencyMs.prod = 900;
    await untilFlag("false");
    const kinds = async () =>
      (await test.events())
        .filter(({ by, kind }) => by === "monitor" && kind !== "start")
        .map(({ kind, data }) => `${kind} ${String(data.side)}`);
    await waitFor("the alert", async () => (await kinds()).length >= 3);
    await untilJudged(monitor);
    expect(await kinds()).to.deep.equal([
      "breach prod",
      "flip prod",
      "breach prod",
    ]);
    expect((await monitor.state()).recovery.waitsFor).to.match(
      /^(prod, which is in breach itself|the cool-down)$/,
    );
  });

  it("stays off with RECOVERY=manual", async () => {
    const monitor = await startLeader(test, { RECOVERY: "manual" });
    fleet.latencyMs.canary = 900;
    await untilFlag("false");
    fleet.latencyMs.canary = 4;
    const stoppedAt = Date.now();
    await waitFor("two cool-downs", () => Date.now() - stoppedAt > 2500);
    expect(await flag()).to.equal("false");
    expect((await monitor.state()).recovery).to.deep.equal({
      mode: "manual",
      nextTryAt: null,
      latched: false,
      waitsFor: "a person: RECOVERY is manual",
      attempt: 1,
    });
  });

  it("does not undo an operator's flip, however healthy the canary", async () => {
    const monitor = await startLeader(test);
    await monitor.postFlag({ value: false, reason: "not today" });
    const stoppedAt = Date.now();
    await waitFor("two cool-downs", () => Date.now() - stoppedAt > 2500);
    expect(await flag()).to.equal("false");
    expect((await monitor.state()).recovery).to.deep.include({
      nextTryAt: null,
      waitsFor: null,
    });
  });
});
