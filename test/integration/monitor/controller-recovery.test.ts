import { expect } from "chai";
import { Ledger, type FlipBy } from "../../../lib/flag/ledger.js";
import type { HostSample } from "../../../lib/telemetry/telemetry.js";
import { startControl, type Control } from "../../support/monitor/control.js";
import { times } from "../../support/monitor/telemetry.js";

const COOLDOWN_MS = 60_000;
const MINUTE_MS = 60_000;
/** The controller's clock also runs on its own, even while a busy machine delays the test. */
const SLACK_MS = 10_000;

/** Feeds a slow canary, and judges. */
async function breach(control: Control): Promise<void> {
  control.pass(1000);
  control.hearHost("canary");
  control.hearTraffic("canary", times(7, 1000));
  await control.judge();
  expect(await control.flag()).to.equal("false");
}

/** Advances the time with healthy probes of the canary, and judges each second. */
async function passHealthy(
  control: Control,
  ms: number,
  fields: Partial<HostSample> = {},
): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1000) {
    control.pass(1000);
    control.hearHost("canary", fields);
    control.hearTraffic("prod", []);
  }
  await control.judge();
}

async function flipBy(by: FlipBy, value: boolean, control: Control) {
  const flip = { value, by, reason: "a person says so", data: {} };
  return await control.ledger.flip("feature", flip);
}

describe("controller's recovery", () => {
  it("resumes the canary after a cool-down with healthy probes, with a mail", async () => {
    const control = await startControl();
    await breach(control);
    await passHealthy(control, COOLDOWN_MS - SLACK_MS);
    expect(await control.flag()).to.equal("false");
    await passHealthy(control, SLACK_MS);
    expect(await control.flag()).to.equal("true");
    const [, , recovery, flip, ...others] = await control.events();
    expect(others).to.be.empty;
    expect(recovery).to.include({ kind: "recovery", by: "monitor" });
    expect(flip).to.include({
      kind: "flip",
      by: "monitor",
      reason:
        "the canary resumes for a second try: its probes were healthy through a cool-down of 1 min",
    });
    expect(flip?.data).to.deep.equal({
      flag: "feature",
      value: true,
      rule: "recovery",
      version: "1.2.3",
      cooldownMs: COOLDOWN_MS,
      attempt: 2,
    });
    expect(await control.outbox()).to.have.length(2);
  });

  it("resumes only another version after a stop by a proxy's breaker", async () => {
    const control = await startControl();
    await passHealthy(control, 1000);
    await flipBy("proxy", false, control);
    await passHealthy(control, 1000);
    await passHealthy(control, 10 * COOLDOWN_MS);
    expect(await control.flag()).to.equal("false");
    await passHealthy(control, 2000, { version: "1.2.4" });
    expect(await control.flag()).to.equal("true");
    expect((await control.events()).at(-1)?.reason).to.match(
      /^the canary resumes for another version: /,
    );
  });

  it("doubles the cool-down, and latches at the third breach within an hour", async () => {
    const control = await startControl();
    await breach(control);
    await passHealthy(control, COOLDOWN_MS);
    await breach(control);
    await passHealthy(control, 2 * COOLDOWN_MS - SLACK_MS);
    expect(await control.flag()).to.equal("false");
    await passHealthy(control, SLACK_MS);
    expect(await control.flag()).to.equal("true");
    await breach(control);
    const latched = (await control.events()).at(-1);
    expect(latched?.data).to.include({ latched: true, nextTryAt: null });
    await passHealthy(control, 30 * MINUTE_MS);
    expect(await control.flag()).to.equal("false");
  });

  it("starts over after an operator's resume: neither latched nor doubled", async () => {
    const control = await startControl();
    await breach(control);
    await passHealthy(control, COOLDOWN_MS);
    await breach(control);
    await passHealthy(control, 2 * COOLDOWN_MS);
    await breach(control);
    expect(await flipBy("operator", true, control)).to.equal("changed");
    await breach(control);
    expect((await control.events()).at(-1)?.data.latched).to.be.false;
    await passHealthy(control, COOLDOWN_MS);
    expect(await control.flag()).to.equal("true");
  });

  it("forgets a breach after an hour without another", async () => {
    const control = await startControl();
    await breach(control);
    await passHealthy(control, COOLDOWN_MS);
    await passHealthy(control, 61 * MINUTE_MS);
    await breach(control);
    await passHealthy(control, COOLDOWN_MS);
    expect(await control.flag()).to.equal("true");
  });

  it("waits for a whole cool-down of healthy probes", async () => {
    const control = await startControl();
    await breach(control);
    await passHealthy(control, 50_000);
    control.hearHost("canary", { probe: { ok: false, ms: 1, status: 503 } });
    await passHealthy(control, COOLDOWN_MS - SLACK_MS);
    expect(await control.flag()).to.equal("false");
    await passHealthy(control, SLACK_MS + 1000);
    expect(await control.flag()).to.equal("true");
  });

  it("does not count a canary with a silent agent as healthy", async () => {
    const control = await startControl();
    await breach(control);
    control.pass(2 * COOLDOWN_MS);
    await control.judge();
    expect(await control.flag()).to.equal("false");
    await passHealthy(control, 1000);
    expect(await control.flag()).to.equal("false");
    await passHealthy(control, COOLDOWN_MS);
    expect(await control.flag()).to.equal("true");
  });

  it("does not resume the canary on telemetry from before a gap", async () => {
    const control = await startControl();
    await breach(control);
    control.observations.onGap("away");
    control.pass(2 * COOLDOWN_MS);
    await control.nudge();
    expect(await control.flag()).to.equal("false");
  });

  it("does not resume the canary without any agent", async () => {
    const control = await startControl();
    control.hearTraffic("canary", times(7, 1000));
    await control.judge();
    control.pass(COOLDOWN_MS);
    control.hearTraffic("prod", []);
    await control.judge();
    expect(await control.flag()).to.equal("false");
  });

  it("waits for prod while prod is slow", async () => {
    const control = await startControl();
    await breach(control);
    for (let passed = 0; passed <= COOLDOWN_MS; passed += 1000) {
      control.pass(1000);
      control.hearHost("canary");
      control.hearTraffic("prod", times(5, 1000));
    }
    await control.judge();
    expect(await control.flag()).to.equal("false");
    control.pass(11_000);
    control.hearTraffic("prod", times(5, 4));
    await passHealthy(control, COOLDOWN_MS + 1000);
    expect(await control.flag()).to.equal("true");
  });

  it("stays off when RECOVERY is manual", async () => {
    const control = await startControl({ RECOVERY: "manual" });
    await breach(control);
    expect((await control.events()).at(-1)?.data.nextTryAt).to.be.null;
    await passHealthy(control, 10 * COOLDOWN_MS);
    expect(await control.flag()).to.equal("false");
  });

  for (const by of ["operator", "proxy", "deploy"] as const) {
    it(`leaves the flag off when ${by} switched it off`, async () => {
      const control = await startControl();
      expect(await flipBy(by, false, control)).to.equal("changed");
      await passHealthy(control, 10 * COOLDOWN_MS);
      expect(await control.flag()).to.equal("false");
    });
  }

  it("leaves the flag off when an operator repeated the monitor's flip", async () => {
    const control = await startControl();
    await breach(control);
    expect(await flipBy("operator", false, control)).to.equal("held");
    await passHealthy(control, 10 * COOLDOWN_MS);
    expect(await control.flag()).to.equal("false");
  });

  it("leaves the flag off when an operator flips it just before the recovery", async () => {
    const control = await startControl();
    await breach(control);
    const { ledger } = control.context;
    const operator = new Ledger(control.redis, control.keys);
    const flip = ledger.flip.bind(ledger);
    ledger.flip = async (name, change) => {
      const hold = { value: false, reason: "no", data: {} };
      await operator.flip(name, { ...hold, by: "operator" });
      return await flip(name, change);
    };
    await passHealthy(control, COOLDOWN_MS);
    expect(await control.flag()).to.equal("false");
    expect((await control.kinds()).at(-1)).to.equal("flip by operator");
  });

  it("does not overwrite a garbled value", async () => {
    const control = await startControl();
    await breach(control);
    await control.redis.set(control.keys.flag("feature"), "flase");
    await passHealthy(control, 10 * COOLDOWN_MS);
    expect(await control.flag()).to.equal("flase");
  });

  it("continues a streak after a restart of the monitor", async () => {
    const control = await startControl();
    await breach(control);
    const stored = await control.redis.get(control.keys.recovery("feature"));
    expect(JSON.parse(stored!)).to.deep.include({
      cooldownMs: COOLDOWN_MS,
      latched: false,
    });
    await control.redis.set(control.keys.recovery("feature"), "garbage");
    await passHealthy(control, 10 * COOLDOWN_MS);
    expect(await control.flag()).to.equal("false");
    await control.redis.set(control.keys.recovery("feature"), stored!);
    await control.judge();
    expect(await control.flag()).to.equal("true");
  });
});
