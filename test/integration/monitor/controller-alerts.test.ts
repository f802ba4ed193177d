import { expect } from "chai";
import {
  AGENT,
  PROXY,
  startControl,
  type Control,
} from "../../support/monitor/control.js";
import { goneSample } from "../../support/monitor/telemetry.js";

/** Advances the time with telemetry of both each second, and judges. */
async function passHeard(
  control: Control,
  ms: number,
  fields: Parameters<Control["hearHost"]>[1] = {},
): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1000) {
    control.pass(1000);
    control.hearTraffic("prod", []);
    control.hearHost("canary", fields);
  }
  await control.judge();
}

const reasons = async (control: Control) =>
  (await control.events()).map(({ kind, reason }) => `${kind}: ${reason}`);

describe("controller's alerts", () => {
  it("are none while everything is healthy", async () => {
    const control = await startControl();
    await passHeard(control, 60_000);
    expect(await control.events()).to.be.empty;
  });

  it("report a silence once, and its end once", async () => {
    const control = await startControl();
    await passHeard(control, 10_000);
    for (let second = 0; second < 10; second++) {
      control.pass(1000);
      control.hearTraffic("prod", []);
      await control.judge();
    }
    expect(await control.kinds()).to.deep.equal(["silence by monitor"]);
    await passHeard(control, 2000);
    await passHeard(control, 2000);
    expect((await reasons(control)).slice(1)).to.deep.equal([
      `recovery: ${AGENT} is no longer silent`,
    ]);
    expect(await control.outbox()).to.have.length(2);
    expect(await control.flag()).to.be.null;
  });

  it("report an app that is gone, and its return", async () => {
    const control = await startControl();
    await passHeard(control, 2000);
    await passHeard(control, 5000, goneSample("canary"));
    await passHeard(control, 2000);
    expect(await reasons(control)).to.deep.equal([
      "alert: the canary app on web1 is gone",
      `recovery: the app of ${AGENT} is no longer gone`,
    ]);
  });

  it("ignore a restart: gone for seconds, then failing its probe for seconds", async () => {
    const control = await startControl({ ALERT_DELAY_MS: "15000" });
    const starting = { probe: { ok: false, ms: 1000, status: null } };
    await passHeard(control, 2000);
    await passHeard(control, 4000, goneSample("canary"));
    await passHeard(control, 5000, starting);
    await passHeard(control, 2000);
    expect(await control.events()).to.be.empty;
  });

  it("are not cleared by a monitor that has not watched for long enough", async () => {
    const control = await startControl();
    await passHeard(control, 5000, goneSample("canary"));
    const successor = await startControl({
      KEY_PREFIX: control.keys.prefix,
    });
    await passHeard(successor, 1000, goneSample("canary"));
    expect(await control.kinds()).to.deep.equal(["alert by monitor"]);
    await passHeard(successor, 1000);
    expect((await reasons(control)).slice(1)).to.deep.equal([
      `recovery: the app of ${AGENT} is no longer gone`,
    ]);
  });

  it("do not clear a gone app when its agent falls silent", async () => {
    const control = await startControl();
    await passHeard(control, 3000, goneSample("canary"));
    for (let second = 0; second < 10; second++) {
      control.pass(1000);
      control.hearTraffic("prod", []);
      await control.judge();
    }
    expect(await control.kinds()).to.deep.equal([
      "alert by monitor",
      "silence by monitor",
    ]);
    await passHeard(control, 2000);
    expect((await reasons(control)).slice(2).toSorted()).to.deep.equal([
      `recovery: ${AGENT} is no longer silent`,
      `recovery: the app of ${AGENT} is no longer gone`,
    ]);
  });

  it("do not clear a silence after a gap in the monitor's own reading", async () => {
    const control = await startControl();
    await passHeard(control, 3000);
    control.pass(10_000);
    await control.judge();
    expect(await control.kinds()).to.have.length(2);
    // As after an outage of Redis, or a take-over.
    control.observations.onCaughtUp(control.now(), control.now());
    await control.nudge();
    control.pass(10_000);
    control.observations.onCaughtUp(control.now(), control.now() - 10_000);
    await control.nudge();
    expect(await control.kinds()).to.deep.equal([
      "silence by monitor",
      "silence by monitor",
    ]);
  });

  it("report CPU without a flip", async () => {
    const control = await startControl();
    await passHeard(control, 40_000, { cpuRatio: 0.97 });
    expect(await reasons(control)).to.deep.equal([
      "alert: the canary app on web1 has used more than 90 % of a core for 30 s, 97 % now",
    ]);
    expect(await control.flag()).to.be.null;
    await passHeard(control, 2000);
    expect((await reasons(control)).slice(1)).to.deep.equal([
      `recovery: the app of ${AGENT} no longer keeps a core busy`,
    ]);
  });

  it("ignore an orderly stop, and clear alerts of the stopped program", async () => {
    const control = await startControl();
    await passHeard(control, 3000, goneSample("canary"));
    for (const source of [AGENT, PROXY])
      control.observations.onEvent(
        {
          ...{ id: "1-0", kind: "stop", by: "p", reason: "r", at: "" },
          data: { source },
        },
        control.now(),
      );
    control.pass(60_000);
    await control.judge();
    expect(await reasons(control)).to.deep.equal([
      "alert: the canary app on web1 is gone",
      `recovery: the app of ${AGENT} is no longer gone`,
    ]);
  });
});
