import { expect } from "chai";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";

const FENCE = '{"holder":"monitor@edge1:8090#a","epoch":3}';

describe("ledger adoption of a value set directly", () => {
  let test: TestRedis;
  const setFlag = (value: string) =>
    test.redis.set(test.keys.flag("feature"), value);
  const adopt = (value: boolean, fence = FENCE) =>
    test.ledger.adopt("feature", { value, reason: "set by hand", fence });

  beforeEach(async () => {
    test = openTestRedis();
    await test.redis.set(test.keys.lease, FENCE);
  });

  it("records it as an operator's flip, with a mail", async () => {
    await setFlag("false");
    await test.redis.set(test.keys.recovery("feature"), "1");
    expect(await adopt(false)).to.equal("changed");
    const [event, ...others] = await test.events();
    expect(others).to.be.empty;
    expect(event).to.deep.include({
      kind: "flip",
      by: "operator",
      reason: "set by hand",
      data: { flag: "feature", value: false, direct: true },
    });
    expect(
      await test.redis.hgetall(test.keys.flagInfo("feature")),
    ).to.deep.equal({
      by: "operator",
      reason: "set by hand",
      at: event!.at,
      value: "false",
      event: event!.id,
    });
    expect((await test.outbox()).map(({ event: id }) => id)).to.deep.equal([
      event!.id,
    ]);
    expect(await test.redis.exists(test.keys.recovery("feature"))).to.equal(0);
  });

  it("leaves the flag as it was written, even if malformed", async () => {
    await setFlag("flase");
    expect(await adopt(false)).to.equal("changed");
    expect(await test.redis.get(test.keys.flag("feature"))).to.equal("flase");
    expect(
      await test.redis.hget(test.keys.flagInfo("feature"), "value"),
    ).to.equal("false");
  });

  it("records it once when several monitors see it", async () => {
    await setFlag("false");
    const other = openTestRedis(test);
    const seen = { value: false, reason: "set by hand", fence: FENCE };
    const outcomes = await Promise.all([
      adopt(false),
      other.ledger.adopt("feature", seen),
    ]);
    expect(outcomes.toSorted()).to.deep.equal(["changed", "unchanged"]);
    expect(await test.events()).to.have.length(1);
  });

  it("records nothing when the value has changed since", async () => {
    await setFlag("true");
    expect(await adopt(false)).to.equal("unchanged");
    await setFlag("false");
    expect(await adopt(true)).to.equal("unchanged");
    expect(await test.events()).to.be.empty;
  });

  it("records nothing without the lease", async () => {
    await setFlag("false");
    expect(await adopt(false, FENCE.replace("3", "2"))).to.equal("fenced");
    expect(await test.events()).to.be.empty;
    expect(await test.outbox()).to.be.empty;
  });
});

describe("ledger restoration of a lost flag", () => {
  let test: TestRedis;
  const restore = (value: boolean, fence = FENCE) =>
    test.ledger.restore("feature", { value, reason: "it was lost", fence });
  const flag = () => test.redis.get(test.keys.flag("feature"));

  beforeEach(async () => {
    test = openTestRedis();
    await test.redis.set(test.keys.lease, FENCE);
  });

  it("writes the value back as the monitor's flip, with a mail", async () => {
    expect(await restore(false)).to.equal("changed");
    expect(await flag()).to.equal("false");
    const [event] = await test.events();
    expect(event).to.deep.include({
      kind: "flip",
      by: "monitor",
      data: { flag: "feature", value: false, restored: true },
    });
    expect(await test.outbox()).to.have.length(1);
  });

  it("leaves a flag that has been written meanwhile", async () => {
    await test.redis.set(test.keys.flag("feature"), "true");
    expect(await restore(false)).to.equal("unchanged");
    expect(await flag()).to.equal("true");
  });

  it("writes nothing without the lease", async () => {
    expect(await restore(false, "another's")).to.equal("fenced");
    expect(await flag()).to.equal(null);
  });

  it("is not needed by a flip, which takes the recorded value as the flag's", async () => {
    const flip = (value: boolean) =>
      test.ledger.flip("feature", {
        value,
        by: "operator",
        reason: "by hand",
        data: {},
      });
    await flip(false);
    await test.redis.del(test.keys.flag("feature"));
    expect(await flip(true)).to.equal("changed");
    expect(await flag()).to.equal("true");
  });
});
