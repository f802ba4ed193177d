import { expect } from "chai";
import type { Flip } from "../../../lib/flag/ledger.js";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";

const FENCE = '{"holder":"monitor@edge1:8090#a","epoch":3}';

/** The monitor stops the canary. */
const STOP: Flip = {
  value: false,
  by: "monitor",
  reason: "too slow",
  data: { rule: "latency", latencyMs: 1012 },
};
const RESUME: Flip = { ...STOP, value: true, reason: "well again" };
const HOLD: Flip = { ...STOP, by: "operator", reason: "not today" };

describe("ledger flip", () => {
  let test: TestRedis;
  const flip = (change: Flip) => test.ledger.flip("feature", change);
  const flag = () => test.redis.get(test.keys.flag("feature"));
  const info = () => test.redis.hgetall(test.keys.flagInfo("feature"));
  const recovery = () => test.redis.get(test.keys.recovery("feature"));
  const kinds = async () =>
    (await test.events()).map(({ kind, by }) => `${kind} by ${by}`);

  beforeEach(() => {
    test = openTestRedis();
  });

  it("changes the flag when the ledger takes no more entries", async () => {
    const greatest = "18446744073709551615-18446744073709551615";
    await test.redis.xadd(test.keys.events, greatest, "kind", "deploy");
    const before = Date.now();
    expect(await flip(STOP)).to.equal("changed");
    expect(await flag()).to.equal("false");
    expect(await test.outbox()).to.have.length(1);
    const { event = "" } = await info();
    expect(event).to.match(/^\d{13}-0$/);
    expect(parseInt(event, 10)).to.be.closeTo(before, 5000);
    expect(await flip({ ...RESUME, supersedes: event })).to.equal("changed");
    expect(await flag()).to.equal("true");
  });

  it("writes flag, info, event and outbox entry", async () => {
    expect(await flip({ ...STOP, recovery: '{"a":1}' })).to.equal("changed");
    expect(await flag()).to.equal("false");
    const [event, ...others] = await test.events();
    expect(others).to.be.empty;
    expect(event).to.deep.include({
      kind: "flip",
      by: "monitor",
      reason: "too slow",
      data: { flag: "feature", value: false, rule: "latency", latencyMs: 1012 },
    });
    expect(event!.at).to.equal(new Date(event!.at).toISOString());
    expect(await info()).to.deep.equal({
      by: "monitor",
      reason: "too slow",
      at: event!.at,
      value: "false",
      event: event!.id,
    });
    expect(await recovery()).to.equal('{"a":1}');
    expect(await test.outbox()).to.deep.equal([
      {
        event: event!.id,
        kind: "flip",
        by: "monitor",
        reason: "too slow",
        at: event!.at,
        data: JSON.stringify(event!.data),
      },
    ]);
  });

  it("records the breach before the flip, and mails only the flip", async () => {
    await flip({ ...STOP, cause: "breach" });
    await flip({ ...RESUME, cause: "recovery" });
    const [breach, stop, recovered, resume] = await test.events();
    expect([breach, stop, recovered, resume].map((e) => e?.kind)).to.deep.equal(
      ["breach", "flip", "recovery", "flip"],
    );
    expect(breach!.data).to.deep.equal(stop!.data);
    expect((await test.outbox()).map(({ event }) => event)).to.deep.equal([
      stop!.id,
      resume!.id,
    ]);
  });

  it("writes nothing when an absent flag, which is true, is set to true", async () => {
    expect(await flip(RESUME)).to.equal("unchanged");
    expect(await flag()).to.be.null;
  });

  it("writes the value that an operator repeats where the flag is absent", async () => {
    expect(await flip({ ...HOLD, value: true })).to.equal("unchanged");
    expect(await flag()).to.equal("true");
    expect(await test.events()).to.be.empty;
    await flip(HOLD);
    await test.redis.del(test.keys.flag("feature"));
    expect(await flip(HOLD)).to.equal("unchanged");
    expect(await flag()).to.equal("false");
  });

  it("writes nothing when the flag already has the value", async () => {
    await flip({ ...STOP, recovery: "1" });
    const before = await info();
    expect(await flip({ ...STOP, reason: "again", recovery: "2" })).to.equal(
      "unchanged",
    );
    expect(await info()).to.deep.equal(before);
    expect(await recovery()).to.equal("1");
    expect(await kinds()).to.deep.equal(["flip by monitor"]);
    expect(await test.outbox()).to.have.length(1);
  });

  it("counts a malformed flag as false", async () => {
    await test.redis.set(test.keys.flag("feature"), "flase");
    expect(await flip(STOP)).to.equal("unchanged");
    expect(await flip(RESUME)).to.equal("changed");
    expect(await flag()).to.equal("true");
  });

  it("lets an operator hold the monitor's stop: event, no mail, no recovery", async () => {
    await flip({ ...STOP, recovery: "1" });
    expect(await flip(HOLD)).to.equal("held");
    expect(await info()).to.include({ by: "operator", reason: "not today" });
    expect(await recovery()).to.be.null;
    expect(await kinds()).to.deep.equal([
      "flip by monitor",
      "flip by operator",
    ]);
    expect(await test.outbox()).to.have.length(1);
    expect(await flip(HOLD)).to.equal("unchanged");
    expect(await kinds()).to.have.length(2);
  });

  it("does not let the monitor take over an operator's stop", async () => {
    await flip(HOLD);
    expect(await flip({ ...STOP, recovery: "1" })).to.equal("unchanged");
    expect(await info()).to.include({ by: "operator" });
    expect(await recovery()).to.be.null;
  });

  it("ends the monitor's recovery at any other flip", async () => {
    await flip({ ...STOP, recovery: "1" });
    await flip({ ...RESUME, by: "operator" });
    expect(await recovery()).to.be.null;
  });

  for (const [what, lease] of [
    ["another's", '{"holder":"monitor@edge2:8090#b","epoch":4}'],
    ["one's own of another epoch", FENCE.replace("3", "4")],
    ["nobody's", null],
  ] as const) {
    it(`writes nothing when the lease is ${what}`, async () => {
      if (lease !== null) await test.redis.set(test.keys.lease, lease);
      expect(await flip({ ...STOP, cause: "breach", fence: FENCE })).to.equal(
        "fenced",
      );
      expect(await flag()).to.be.null;
      expect(await test.events()).to.be.empty;
      expect(await test.outbox()).to.be.empty;
    });
  }

  it("writes while the caller holds the lease", async () => {
    await test.redis.set(test.keys.lease, FENCE);
    expect(await flip({ ...STOP, fence: FENCE })).to.equal("changed");
  });

  it("writes nothing when the flag does not have the expected value", async () => {
    expect(await flip({ ...STOP, expect: false })).to.equal("conflict");
    expect(await flip({ ...STOP, expect: true })).to.equal("changed");
    expect(await kinds()).to.have.length(1);
  });

  it("writes nothing when another flip came first", async () => {
    await flip(STOP);
    const { event } = await info();
    await flip(HOLD);
    const late = { ...RESUME, supersedes: event! };
    expect(await flip({ ...late, supersedes: "none" })).to.equal("conflict");
    expect(await flip(late)).to.equal("conflict");
    expect(await flag()).to.equal("false");
    const { event: last } = await info();
    expect(await flip({ ...RESUME, supersedes: last! })).to.equal("changed");
  });

  it("makes one flip and one mail of several at once", async () => {
    const others = Array.from({ length: 20 }, () => openTestRedis(test));
    const outcomes = await Promise.all(
      others.map(({ ledger }) => ledger.flip("feature", STOP)),
    );
    expect(outcomes.filter((outcome) => outcome === "changed")).to.have.length(
      1,
    );
    expect(await test.events()).to.have.length(1);
    expect(await test.outbox()).to.have.length(1);
  });

  it("keeps flags with other names separate", async () => {
    await test.ledger.flip("other", STOP);
    expect(await flag()).to.be.null;
    expect((await test.events())[0]?.data).to.include({ flag: "other" });
  });

  it("throws and writes nothing while Redis rejects commands", async () => {
    await test.redis.lpush(test.keys.flag("feature"), "no string");
    const failure = await flip(STOP).catch((err: unknown) => err);
    expect(failure).to.be.instanceOf(Error);
    expect(await info()).to.deep.equal({});
    expect(await test.events()).to.be.empty;
  });
});
