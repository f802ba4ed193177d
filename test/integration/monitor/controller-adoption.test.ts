import { expect } from "chai";
import { startControl, type Control } from "../../support/monitor/control.js";
import { times } from "../../support/monitor/telemetry.js";

const setFlag = (control: Control, value: string) =>
  control.redis.set(control.keys.flag("feature"), value);
const lastEvent = async (control: Control) => (await control.events()).at(-1);

describe("controller, when the flag is set directly in Redis", () => {
  it("records it once, as an operator's flip", async () => {
    const control = await startControl();
    await setFlag(control, "false");
    await control.judge();
    await control.judge();
    expect(await control.kinds()).to.deep.equal(["flip by operator"]);
    expect(await lastEvent(control)).to.deep.include({
      reason: 'the flag was set to "false" directly in Redis',
      data: { flag: "feature", value: false, direct: true },
    });
    expect(await control.outbox()).to.have.length(1);
  });

  for (const [what, lost] of [
    ["the flag", ["flag"]],
    ["the flag and its last flip", ["flag", "flagInfo", "recovery"]],
  ] as const)
    it(`writes the value back when Redis loses ${what}`, async () => {
      const control = await startControl();
      await setFlag(control, "false");
      await control.judge();
      await control.redis.del(
        ...lost.map((key) => control.keys[key]("feature")),
      );
      await control.judge();
      expect(await control.flag()).to.be.null;
      control.pass(4000);
      await control.judge();
      await control.judge();
      expect(await control.flag()).to.equal("false");
      expect(await control.kinds()).to.deep.equal([
        "flip by operator",
        "flip by monitor",
      ]);
      expect(await lastEvent(control)).to.deep.include({
        reason: `Redis has lost ${what}: its last value was written back`,
        data: { flag: "feature", value: false, restored: true },
      });
      control.pass(3_600_000);
      control.hearHost("canary");
      await control.judge();
      expect(await control.flag()).to.equal("false");
    });

  it("writes back a value that was lost before a round read it", async () => {
    const control = await startControl();
    control.remember({ raw: "false", value: false });
    control.remember({ raw: null, value: false });
    await control.judge();
    control.pass(4000);
    await control.judge();
    expect(await control.flag()).to.equal("false");
  });

  it("writes back false when the last value differs from the last flip", async () => {
    const control = await startControl();
    await setFlag(control, "false");
    await control.judge();
    await setFlag(control, "true");
    await control.judge();
    control.remember({ raw: "false", value: false });
    await control.redis.del(control.keys.flag("feature"));
    await control.judge();
    control.pass(4000);
    await control.judge();
    expect(await control.flag()).to.equal("false");
  });

  it("writes back at once that the canary is in", async () => {
    const control = await startControl();
    control.remember({ raw: "true", value: true });
    await control.judge();
    expect(await control.flag()).to.equal("true");
  });

  it("leaves a value alone that is written soon after the loss", async () => {
    const control = await startControl();
    await setFlag(control, "false");
    await control.judge();
    await control.redis.del(control.keys.flag("feature"));
    await control.judge();
    await setFlag(control, "true");
    control.pass(4000);
    await control.judge();
    expect(await control.flag()).to.equal("true");
  });

  it("writes nothing back where the flag never had a value", async () => {
    const control = await startControl();
    await control.judge();
    expect(await control.flag()).to.be.null;
    expect(await control.events()).to.be.empty;
  });

  it("records nothing when the value is the same", async () => {
    const control = await startControl();
    await setFlag(control, "true");
    await control.judge();
    expect(await control.events()).to.be.empty;
  });

  it("does not undo it, and forgets its own streak", async () => {
    const control = await startControl();
    control.hearHost("canary");
    control.hearTraffic("canary", times(7, 1000));
    await control.judge();
    await setFlag(control, "true");
    await control.judge();
    expect(await control.flag()).to.equal("true");
    expect(
      await control.redis.exists(control.keys.recovery("feature")),
    ).to.equal(0);
    await setFlag(control, "false");
    await control.judge();
    control.pass(3_600_000);
    control.hearHost("canary");
    await control.judge();
    expect(await control.flag()).to.equal("false");
  });

  it("raises an alert for a garbled value, and clears it", async () => {
    const control = await startControl();
    await setFlag(control, "flase");
    await control.judge();
    const [flip, alert] = await control.events();
    expect(flip).to.include({
      kind: "flip",
      by: "operator",
      reason:
        'the flag was set to "flase" directly in Redis, which is neither true nor false and counts as false',
    });
    expect(alert).to.deep.include({
      kind: "alert",
      by: "monitor",
      reason:
        'the flag feature holds "flase": it counts as false; set it to true or false',
      data: { alert: "flag-value", raw: "flase" },
    });
    await control.judge();
    await setFlag(control, "false");
    await control.judge();
    await control.judge();
    expect((await control.kinds()).slice(2)).to.deep.equal([
      "recovery by monitor",
    ]);
    expect((await lastEvent(control))?.reason).to.equal(
      "the flag holds true or false again",
    );
  });

  it("shortens a very long value in the reason", async () => {
    const control = await startControl();
    await setFlag(control, "x".repeat(100_000));
    await control.judge();
    await control.judge();
    for (const event of await control.events())
      expect(JSON.stringify(event)).to.have.length.below(1000);
  });
});
