import { expect } from "chai";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";

const FENCE = '{"holder":"monitor@edge1:8090#a","epoch":3}';
const ALERT = {
  kind: "alert",
  by: "monitor",
  reason: "the canary app on web1 is gone",
  data: { alert: "gone" },
} as const;
const RAISE = { id: "gone:agent@web1:3101", op: "raise" } as const;
const CLEAR = { id: "gone:agent@web1:3101", op: "clear" } as const;

describe("ledger record", () => {
  let test: TestRedis;

  beforeEach(() => {
    test = openTestRedis();
  });

  it("appends an event, with a mail only on request", async () => {
    const start = { ...ALERT, kind: "start" } as const;
    expect(await test.ledger.record(start)).to.equal("changed");
    expect(await test.outbox()).to.be.empty;
    expect(await test.ledger.record(ALERT, { mail: true })).to.equal("changed");
    const [, event] = await test.events();
    expect(event).to.deep.include(ALERT);
    expect(await test.outbox()).to.deep.equal([
      {
        event: event!.id,
        kind: "alert",
        by: "monitor",
        reason: ALERT.reason,
        at: event!.at,
        data: JSON.stringify(ALERT.data),
      },
    ]);
  });

  it("raises and clears an alert once", async () => {
    const raise = () => test.ledger.record(ALERT, { mail: true, alert: RAISE });
    const clear = () => test.ledger.record(ALERT, { mail: true, alert: CLEAR });
    expect(await clear()).to.equal("unchanged");
    expect(await raise()).to.equal("changed");
    expect(await raise()).to.equal("unchanged");
    expect(await test.redis.hgetall(test.keys.alerts)).to.have.all.keys(
      RAISE.id,
    );
    expect(await clear()).to.equal("changed");
    expect(await clear()).to.equal("unchanged");
    expect(await raise()).to.equal("changed");
    expect(await test.events()).to.have.length(3);
    expect(await test.outbox()).to.have.length(3);
  });

  it("writes nothing without the lease", async () => {
    const options = { mail: true, fence: FENCE, alert: RAISE };
    expect(await test.ledger.record(ALERT, options)).to.equal("fenced");
    expect(await test.events()).to.be.empty;
    expect(await test.redis.exists(test.keys.alerts)).to.equal(0);
    await test.redis.set(test.keys.lease, FENCE);
    expect(await test.ledger.record(ALERT, options)).to.equal("changed");
  });
});
