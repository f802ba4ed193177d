import { expect } from "chai";
import type { Spec } from "../../../lib/rollout/spec.js";
import {
  FENCE,
  startControl,
  type Control,
} from "../../support/monitor/control.js";
import { times } from "../../support/monitor/telemetry.js";
import { startVerdict } from "../../support/monitor/verdict-feed.js";
import { slowerBy } from "../../support/monitor/verdict-traffic.js";
import {
  openRollout,
  readSpec,
  START,
} from "../../support/redis/test-rollout.js";

const STEPS = [
  { weight: 10, for: "10s" },
  { weight: 25, for: "10s" },
];

describe("conductor", () => {
  let control: Control;
  let held: ReturnType<typeof openRollout>;

  async function start(analysis: unknown = {}, steps: unknown = STEPS) {
    control = await startControl({ VERDICT: "off" });
    held = openRollout(control);
    const spec: Spec = readSpec({ rollout: { steps }, analysis });
    await held.ask({ ...START, spec });
  }

  /** Half a second in which both sides answer this fast. */
  async function hear(canaryMs = 5, requests = 60) {
    control.pass(500);
    control.hearTraffic("canary", times(requests, canaryMs));
    control.hearTraffic("prod", times(requests, 5));
    await control.judge();
  }

  async function pass(seconds: number) {
    for (let i = 0; i < seconds; i++) {
      control.pass(500);
      await hear();
    }
  }

  /** Phase and step. */
  const place = async () => {
    const { phase, step } = await held.rollout();
    return `${phase} ${step}`;
  };
  const weight = () => control.redis.get(control.keys.flagWeight("feature"));
  const lastReason = async () => (await control.events()).at(-1)!.reason;

  it("goes from step to step, waits for prod and ends healthy", async () => {
    await start();
    await pass(8);
    expect([await place(), await weight()]).to.deep.equal([
      "Progressing 0",
      "10",
    ]);
    await pass(4);
    expect([await place(), await weight()]).to.deep.equal([
      "Progressing 1",
      "25",
    ]);
    await pass(12);
    expect([await place(), await weight()]).to.deep.equal([
      "Promoting 2",
      "25",
    ]);
    control.hearHost("prod", { version: "0.2.0" });
    await pass(1);
    expect(await place()).to.equal("Promoting 2");
    control.hearHost("prod", { version: "0.3.0+1a2b3c4d" });
    await pass(1);
    expect([await place(), await weight()]).to.deep.equal(["Healthy 2", null]);
    const events = await control.events();
    const steps = events.filter(({ data }) => data.rollout === 1);
    expect(steps.map(({ reason }) => reason)).to.deep.equal([
      "rollout 1 of 0.3.0 has started: step 1 of 2, canary takes 10 %",
      "rollout 1 of 0.3.0: step 2 of 2, canary takes 25 %",
      "rollout 1 of 0.3.0: all steps are done, prod can get it",
      "rollout 1 of 0.3.0 is Healthy: prod runs it",
    ]);
  });

  it("aborts when a prod app with the candidate is gone, although it tells no release then", async () => {
    await start();
    await held.ask({ verb: "promote", full: true });
    control.hearHost("prod", { version: "0.3.0" });
    for (let seconds = 0; seconds <= 10; seconds += 1) {
      control.pass(1000);
      control.hearHost("prod", {
        ...{ version: null, up: false, pid: null },
        probe: { ok: false, ms: 1, status: null },
      });
      await hear();
    }
    expect(await held.rollout()).to.include({
      ...{ phase: "Aborted", outcome: "promotion" },
      reason: "prod's app on web1 is gone since it runs 0.3.0",
    });
  });

  it("makes one step of two leaders that see the same", async () => {
    await start();
    await pass(8);
    const other = await startControl({
      VERDICT: "off",
      KEY_PREFIX: control.keys.prefix,
    });
    for (const one of [control, other])
      for (let i = 0; i < 10; i++) {
        one.pass(one === other ? 1400 : 300);
        one.hearTraffic("canary", times(60, 5));
        one.hearTraffic("prod", times(60, 5));
      }
    await Promise.all([control.judge(), other.judge()]);
    await Promise.all([control.judge(), other.judge()]);
    expect(await place()).to.equal("Progressing 1");
    const steps = (await control.events()).filter(
      ({ data }) => data.step === 1,
    );
    expect(steps).to.have.length(1);
  });

  it("changes nothing once another monitor holds the lease", async () => {
    await start();
    await pass(8);
    await control.redis.set(
      control.keys.lease,
      FENCE.replace('"epoch":3', '"epoch":4'),
    );
    await pass(4);
    expect(await place()).to.equal("Progressing 0");
    expect(control.stepDowns()).to.include(FENCE);
  });

  it("holds a step with too little traffic, says so once, and reports it after long", async () => {
    await start({ insufficient: { after: "30s" } });
    control.pass(11_000);
    await hear(5, 10);
    await hear(5, 10);
    expect(await held.rollout()).to.include({
      ...{ phase: "Progressing", step: 0, heldBy: "insufficient" },
    });
    expect(await lastReason()).to.equal(
      "rollout 1 of 0.3.0 is held: 10 of 50 canary requests",
    );
    expect(await control.outbox()).to.be.empty;
    control.pass(30_000);
    await hear(5, 1);
    const told = (await control.outbox()).map(({ reason }) => reason);
    expect(told).to.have.length(1);
    expect(told[0]).to.match(/^rollout 1 is held \(insufficient\) since /);
    await hear(5, 30);
    expect(await place()).to.equal("Progressing 1");
    await hear();
    expect((await control.outbox()).at(-1)!.reason).to.equal(
      "the rollout is no longer held",
    );
  });

  it("aborts by the latency rule, with one flip that names the rollout, and does not retry by itself", async () => {
    await start();
    await hear(2000);
    expect(await place()).to.equal("Aborted 0");
    expect([await control.flag(), await weight()]).to.deep.equal([
      "false",
      "0",
    ]);
    const flips = (await control.events()).filter(
      ({ kind }) => kind === "flip",
    );
    expect(flips).to.have.length(1);
    expect(flips[0]!.data).to.include({
      ...{ rollout: 1, rule: "latency", nextTryAt: null },
    });
    expect(await held.rollout()).to.include({ outcome: "latency" });
    control.hearHost("canary");
    control.pass(120_000);
    control.hearHost("canary");
    await control.judge();
    expect(await control.flag()).to.equal("false");
    await held.ask({ verb: "retry" });
    expect(await control.flag()).to.equal("true");
    await pass(1);
    expect(await place()).to.equal("Progressing 0");
  });

  it("pauses instead, where the spec says so, and stays paused", async () => {
    await start({ latency: { on: "pause" } });
    await hear(2000);
    await hear(2000);
    expect(await place()).to.equal("Paused 0");
    expect(await control.flag()).not.to.equal("false");
    expect(await lastReason()).to.match(/^canary p95 2,/);
    expect(await control.outbox()).to.have.length(1);
  });

  it("keeps the harm budget while it is paused by a rule", async () => {
    const harm = { requests: 100 };
    await start({ latency: { on: "pause" }, harm });
    await hear(2000);
    expect(await place()).to.equal("Paused 0");
    await hear(2000);
    expect(await held.rollout()).to.include({
      ...{ phase: "Aborted", outcome: "harm" },
    });
  });

  it("aborts while prod gets the release, where a rule would only pause it", async () => {
    await start({ latency: { on: "pause" } });
    await held.ask({ verb: "promote", full: true });
    await hear(2000);
    await hear(2000);
    expect(await place()).to.equal("Aborted 2");
  });

  it("keeps the harm of a step that a person ended", async () => {
    const harm = { requests: 100 };
    await start({ harm, latency: { on: "notify" } });
    await hear(2000);
    await held.ask({ verb: "promote" });
    expect(await place()).to.equal("Progressing 1");
    await hear(2000);
    expect(await held.rollout()).to.include({
      ...{ phase: "Aborted", outcome: "harm" },
    });
  });

  it("counts no requests of the weight before to a new step", async () => {
    const steps = [
      { weight: 10, for: "10s" },
      { weight: 25, requests: 100 },
    ];
    await start({}, steps);
    await held.ask({ verb: "promote" });
    for (const weight of [10, 25]) {
      control.pass(500);
      control.hearTraffic("prod", times(60, 5));
      control.hearTraffic("canary", times(100, 5), { weight });
      await control.judge();
      expect(await place()).to.equal(
        weight === 10 ? "Progressing 1" : "Promoting 2",
      );
    }
  });

  it("does not end while a prod host is silent", async () => {
    await start();
    await held.ask({ verb: "promote", full: true });
    const other = "agent@web9:3101";
    control.hearHost("prod", { version: "0.2.0" }, other);
    control.pass(60_000);
    control.hearHost("prod", { version: "0.3.0" });
    await hear();
    expect(await place()).to.equal("Promoting 2");
  });

  it("only reports it, where the spec says so", async () => {
    await start({ latency: { on: "notify" }, harm: { on: "notify" } });
    await hear(2000);
    await hear(2000);
    expect(await place()).to.equal("Progressing 0");
    const told = (await control.outbox()).map(({ reason }) => reason);
    expect(told).to.have.length(1);
    expect(told[0]).to.match(/^canary p95 2,/);
  });

  it("aborts when the harm budget is used up", async () => {
    await start({ harm: { requests: 30 }, latency: { on: "notify" } });
    await hear(2000);
    expect(await held.rollout()).to.include({
      ...{ phase: "Aborted", outcome: "harm" },
    });
    expect((await held.rollout()).reason).to.equal(
      "canary has failed or slowed 60 requests more than prod would have: its budget is 30",
    );
  });

  it("aborts when the flag was set to false directly in Redis", async () => {
    await start();
    await control.redis.set(control.keys.flag("feature"), "false");
    await hear();
    expect(await held.rollout()).to.include({
      ...{ phase: "Aborted", outcome: "operator" },
    });
  });

  it("aborts a rollout that goes on although an older program switched the flag off", async () => {
    await start();
    await held.ask({ verb: "abort" });
    await control.redis.hset(control.keys.rollout("feature"), {
      ...{ phase: "Progressing", weight: "10" },
    });
    await control.redis.set(control.keys.flagWeight("feature"), "10");
    await hear();
    expect(await held.rollout()).to.include({
      ...{ phase: "Aborted", reason: "the flag is off" },
    });
  });

  it("suspends the verdict, with the reason, while prod gets the candidate", async () => {
    const { control: judged, verdicts, feed } = await startVerdict();
    const rollout = openRollout(judged);
    await rollout.ask({ ...START, spec: readSpec({}) });
    await rollout.ask({ verb: "promote", full: true });
    feed.hear(40, slowerBy(2), [verdicts]);
    await judged.judge();
    expect(await judged.flag()).to.equal("true");
    expect(verdicts.verdict).to.include({
      ...{ outcome: null, because: "prod is getting 0.3.0" },
    });
    await rollout.ask({ verb: "abort" });
    await rollout.ask({ verb: "retry" });
    await judged.judge();
    feed.hear(40, slowerBy(2), [verdicts]);
    await judged.judge();
    expect(await rollout.rollout()).to.include({
      ...{ phase: "Aborted", outcome: "verdict" },
    });
  });

  it("writes the weight back that was lost or set by hand", async () => {
    await start();
    for (const [found, told] of [
      [null, "was lost"],
      ["90", 'was set to "90"'],
    ] as const) {
      const key = control.keys.flagWeight("feature");
      if (found === null) await control.redis.del(key);
      else await control.redis.set(key, found);
      await hear();
      expect(await weight()).to.equal("10");
      expect(await lastReason()).to.equal(
        `the weight ${told} in Redis: rollout 1 has set it to 10 % again`,
      );
    }
  });

  it("writes a rollout back that Redis has lost, before the flag", async () => {
    await start();
    await control.redis.set(control.keys.flag("feature"), "true");
    await pass(12);
    const before = await held.rollout();
    const { redis, keys } = control;
    await redis.del(keys.flag("feature"), keys.flagInfo("feature"));
    await redis.del(keys.rollout("feature"), keys.flagWeight("feature"));
    await hear();
    await hear();
    const { reason, ...restored } = await held.rollout();
    expect(restored).to.deep.include({
      ...{ id: 1, phase: "Progressing", step: 1, weight: 25 },
      ...{ stepStartedAt: before.stepStartedAt, spec: before.spec },
    });
    expect(reason).to.equal(
      "Redis has lost rollout 1: it was written back as it was",
    );
    expect([await control.flag(), await weight()]).to.deep.equal([
      "true",
      "25",
    ]);
    const last = (await control.events()).slice(-2);
    expect(last.map(({ kind }) => kind)).to.deep.equal(["rollout", "flip"]);
  });

  it("warns at the start when a step is above the canary hosts' share", async () => {
    await start();
    for (const host of ["web1", "web2", "web3", "web4"])
      control.observations.onTelemetry(
        {
          ...{ kind: "host", source: `agent@${host}`, at: control.now() },
          data: {
            ...{ target: host === "web1" ? "canary" : "prod", host, pid: 1 },
            ...{ startedAt: null, up: true, version: null },
            ...{
              cpuRatio: 0,
              rssBytes: 1,
              probe: { ok: true, ms: 1, status: 200 },
            },
          },
        },
        control.now(),
      );
    await hear();
    expect(await control.outbox()).to.be.empty;
    await held.ask({
      ...START,
      candidate: "0.4.0",
      spec: readSpec({ rollout: { steps: [{ weight: 50, for: "60s" }] } }),
    });
    await hear();
    expect((await control.outbox()).map(({ reason }) => reason)).to.deep.equal([
      "rollout 2 goes up to 50 %, but the canary's apps are 1 of 4: above 25 % they get more load each than prod's",
    ]);
  });

  it("reports a rollout that it cannot read, and goes on judging", async () => {
    await start();
    await control.redis.hset(control.keys.rollout("feature"), "spec", "{");
    await hear();
    expect(await lastReason()).to.include("rollout 1 cannot be read");
    await hear(2000);
    expect(await control.flag()).to.equal("false");
  });
});
