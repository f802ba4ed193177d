import { expect } from "chai";
import {
  AGENT,
  FENCE,
  PROXY,
  startControl,
} from "../../support/monitor/control.js";
import { histogramOf, times } from "../../support/monitor/telemetry.js";

describe("controller, at a breach", () => {
  it("stops a slow canary: breach and flip with figures, one mail", async () => {
    const control = await startControl();
    control.hearTraffic("prod", times(50, 4));
    control.hearTraffic("canary", times(7, 1000));
    await control.judge();
    expect(await control.flag()).to.equal("false");
    const [breach, flip, ...others] = await control.events();
    expect(others).to.be.empty;
    expect(breach).to.include({ kind: "breach", by: "monitor" });
    expect(flip).to.include({ kind: "flip", by: "monitor" });
    for (const event of [breach, flip]) {
      expect(event!.reason).to.match(
        /^canary p95 1,02\d ms > 500 ms over 10 s \(7 requests\)$/,
      );
      expect(event!.data).to.deep.include({
        flag: "feature",
        value: false,
        rule: "latency",
        side: "canary",
        quantile: 0.95,
        thresholdMs: 500,
        windowMs: 10_000,
        requests: 7,
        waiting: 0,
        latched: false,
      });
      expect(event!.data).to.include.keys("latencyMs", "p50Ms", "p95Ms");
      expect(Date.parse(event!.data.nextTryAt as string)).to.be.closeTo(
        control.now() + 60_000,
        5000,
      );
    }
    expect((await control.outbox()).map(({ event }) => event)).to.deep.equal([
      flip!.id,
    ]);
  });

  it("stops it once, after any number of rounds", async () => {
    const control = await startControl();
    control.hearTraffic("canary", times(7, 1000));
    await Promise.all([control.judge(), control.judge(), control.judge()]);
    await control.judge();
    expect(await control.kinds()).to.deep.equal([
      "breach by monitor",
      "flip by monitor",
    ]);
  });

  it("leaves a fast canary alone, and one with too few requests", async () => {
    const control = await startControl();
    control.hearTraffic("canary", times(4, 1000));
    await control.judge();
    control.hearTraffic("canary", times(95, 4));
    await control.judge();
    expect(await control.flag()).to.be.null;
    expect(await control.events()).to.be.empty;
  });

  it("stops a canary that hangs, before anything has timed out", async () => {
    const control = await startControl();
    // Requests from before any flip.
    control.hearTraffic("canary", [], { waiting: histogramOf(times(5, 900)) });
    await control.judge();
    expect(await control.flag()).to.equal("false");
    expect((await control.events()).at(-1)?.reason).to.match(
      /5 requests, 5 of them still waiting/,
    );
  });

  it("flips on a breach of prod too, and names prod", async () => {
    const control = await startControl();
    control.hearTraffic("prod", times(20, 1000));
    control.hearTraffic("canary", times(20, 4));
    await control.judge();
    expect(await control.flag()).to.equal("false");
    const flip = (await control.events()).at(-1);
    expect(flip?.data).to.include({ side: "prod", requests: 20 });
    expect(flip?.reason).to.match(/^prod p95 /);
  });

  it("names the canary when both are slow", async () => {
    const control = await startControl();
    control.hearTraffic("prod", times(20, 1000));
    control.hearTraffic("canary", times(20, 1000));
    await control.judge();
    expect((await control.events()).at(-1)?.data.side).to.equal("canary");
    expect(await control.events()).to.have.length(2);
  });

  it("raises one alert while prod stays slow with the flag off, and clears it", async () => {
    const control = await startControl();
    control.hearTraffic("prod", times(20, 1000));
    await control.judge();
    const slowAgain = async () => {
      control.pass(1000);
      control.hearTraffic("prod", times(20, 1000));
      await control.judge();
    };
    await slowAgain();
    await slowAgain();
    const alerts = (await control.events()).slice(2);
    expect(alerts).to.have.length(1);
    expect(alerts[0]).to.include({ kind: "breach", by: "monitor" });
    expect(alerts[0]?.reason).to.match(
      /^prod is slow although the flag is off: prod p95 1,02\d ms > 500 ms/,
    );
    expect(alerts[0]?.data).to.include({ alert: "latency", side: "prod" });
    expect(await control.outbox()).to.have.length(2);

    control.pass(11_000);
    control.hearTraffic("prod", times(20, 4));
    await control.judge();
    expect((await control.events()).at(-1)).to.include({
      kind: "recovery",
      reason: "prod is no longer slow",
    });
    expect(await control.outbox()).to.have.length(3);
  });

  it("does not clear prod's alert when its telemetry ends", async () => {
    const control = await startControl();
    control.hearTraffic("prod", times(20, 1000));
    await control.judge();
    control.pass(1000);
    control.hearTraffic("prod", times(20, 1000));
    await control.judge();
    control.pass(60_000);
    await control.judge();
    expect((await control.kinds()).slice(2)).to.deep.equal([
      "breach by monitor",
      "silence by monitor",
    ]);
    expect((await control.events()).at(-1)?.data.source).to.equal(PROXY);
  });

  it("ignores requests before the resume when it judges a resumed canary", async () => {
    const control = await startControl();
    control.hearTraffic("canary", times(7, 1000));
    await control.judge();
    await control.ledger.flip("feature", {
      value: true,
      by: "operator",
      reason: "try again",
      data: {},
    });
    await control.judge();
    expect(await control.flag()).to.equal("true");
    control.pass(1000);
    control.hearTraffic("canary", times(5, 1000));
    await control.judge();
    expect(await control.flag()).to.equal("false");
  });

  it("does not judge while it reads the past", async () => {
    const control = await startControl({ ALERT_DELAY_MS: "0" });
    control.hearTraffic("canary", times(7, 1000));
    control.hearHost("canary", { up: false });
    control.hearHost("canary", { up: false });
    control.observations.onCaughtUp(control.now() - 1, control.now() + 60_000);
    await control.nudge();
    expect(await control.events()).to.be.empty;
    await control.judge();
    await control.judge();
    expect(await control.kinds()).to.include("flip by monitor");
    expect((await control.events()).at(-1)?.data.source).to.equal(AGENT);
  });

  it("changes nothing and steps down when another monitor holds the lease", async () => {
    const control = await startControl();
    await control.redis.set(control.keys.lease, '{"holder":"b","epoch":4}');
    control.hearTraffic("canary", times(7, 1000));
    await control.judge();
    expect(await control.flag()).to.be.null;
    expect(await control.events()).to.be.empty;
    expect(control.stepDowns()).to.deep.equal([FENCE]);
  });

  it("stops a slow canary within two minutes at 15 requests a minute", async () => {
    const control = await startControl();
    for (let second = 0; second < 180; second += 4) {
      control.pass(4000);
      control.hearTraffic("prod", second % 16 === 0 ? [] : [20]);
      control.hearTraffic("canary", second % 16 === 0 ? [20] : []);
    }
    await control.judge();
    expect(await control.flag()).to.be.null;
    let second = 0;
    for (; (await control.flag()) === null && second < 300; second += 4) {
      control.pass(4000);
      control.hearTraffic("prod", second % 16 === 0 ? [] : [20]);
      control.hearTraffic("canary", second % 16 === 0 ? [4000] : []);
      await control.judge();
    }
    expect(second).to.be.at.most(120);
    expect((await control.events()).at(-1)?.reason).to.match(
      /^canary p95 [\d,]+ ms > 500 ms over \d\d s \(5 requests\)$/,
    );
  });

  it("leaves the canary in while only prod is slow, unless prod is listed", async () => {
    const control = await startControl({ LATENCY_SIDES: "canary" });
    control.hearTraffic("canary", times(7, 4));
    control.hearTraffic("prod", times(7, 1000));
    await control.judge();
    expect(await control.flag()).to.be.null;
    const [alert] = await control.events();
    expect(alert?.reason).to.match(/^prod is slow: prod p95 /);
  });

  it("logs that it could not judge, and judges when it can", async () => {
    const control = await startControl();
    await control.redis.set(control.keys.flagInfo("feature"), "no hash");
    control.hearTraffic("canary", times(7, 1000));
    await control.judge();
    await control.judge();
    expect(control.log).to.deep.equal([
      {
        level: "warn",
        data: {
          reason:
            "Redis refuses: WRONGTYPE Operation against a key holding the wrong kind of value",
        },
        message: "cannot judge: the lease is not held",
      },
    ]);
    await control.redis.del(control.keys.flagInfo("feature"));
    await control.judge();
    expect(await control.flag()).to.equal("false");
  });
});
