import { expect } from "chai";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";

describe("ledger reading", () => {
  let test: TestRedis;
  const reasons = async (query: Parameters<typeof test.ledger.readEvents>[0]) =>
    (await test.ledger.readEvents(query)).map(({ reason }) => reason);

  /** Adds `count` events with the reasons 0, 1, 2 …: each third is an alert, the others are starts. */
  async function enter(count: number): Promise<void> {
    const pipeline = test.redis.pipeline();
    for (let i = 0; i < count; i++) {
      const kind = i % 3 === 0 ? "alert" : "start";
      const fields = ["kind", kind, "by", "test", "reason", String(i)];
      pipeline.xadd(test.keys.events, "*", ...fields, "at", "", "data", "{}");
    }
    await pipeline.exec();
  }

  beforeEach(() => {
    test = openTestRedis();
  });

  it("returns nothing from an empty ledger", async () => {
    expect(await reasons({ limit: 5 })).to.be.empty;
  });

  it("returns the requested number of events, newest first", async () => {
    await enter(7);
    expect(await reasons({ limit: 3 })).to.deep.equal(["6", "5", "4"]);
    expect(await reasons({ limit: 100 })).to.have.length(7);
  });

  it("returns events of one kind, even if they are far apart", async () => {
    await enter(1700);
    const alerts = await reasons({ limit: 400, kind: "alert" });
    expect(alerts).to.have.length(400);
    expect(alerts.slice(0, 3)).to.deep.equal(["1698", "1695", "1692"]);
    expect(await reasons({ limit: 1000, kind: "alert" })).to.have.length(567);
    expect(await reasons({ limit: 1, kind: "flip" })).to.be.empty;
  });

  it("returns the events after an event, without it", async () => {
    await enter(5);
    const [, , middle] = await test.ledger.readEvents({ limit: 5 });
    expect(await reasons({ limit: 5, after: middle!.id })).to.deep.equal([
      "4",
      "3",
    ]);
    const [newest] = await test.ledger.readEvents({ limit: 1 });
    expect(await reasons({ limit: 5, after: newest!.id })).to.be.empty;
  });

  it("skips malformed entries", async () => {
    await enter(2);
    await test.redis.xadd(test.keys.events, "*", "party", "yes");
    await enter(1);
    expect(await reasons({ limit: 3 })).to.deep.equal(["0", "1", "0"]);
  });
});
