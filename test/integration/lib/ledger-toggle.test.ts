import { expect } from "chai";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";

const TOGGLE = { by: "operator", reason: "toggled", data: {} } as const;

describe("ledger toggle", () => {
  let test: TestRedis;
  const flag = () => test.redis.get(test.keys.flag("feature"));

  beforeEach(() => {
    test = openTestRedis();
  });

  it("inverts the flag and returns the new value", async () => {
    expect(await test.ledger.toggle("feature", TOGGLE)).to.be.false;
    expect(await flag()).to.equal("false");
    expect(await test.ledger.toggle("feature", TOGGLE)).to.be.true;
    expect(await flag()).to.equal("true");
    expect((await test.events()).map(({ data }) => data.value)).to.deep.equal([
      false,
      true,
    ]);
  });

  it("sets a malformed flag to true", async () => {
    await test.redis.set(test.keys.flag("feature"), "flase");
    expect(await test.ledger.toggle("feature", TOGGLE)).to.be.true;
  });

  it("applies two concurrent toggles, which restore the flag", async () => {
    const other = openTestRedis(test);
    for (let round = 0; round < 20; round++) {
      const values = await Promise.all([
        test.ledger.toggle("feature", TOGGLE),
        other.ledger.toggle("feature", TOGGLE),
      ]);
      expect(values.toSorted()).to.deep.equal([false, true]);
    }
    const flips = (await test.events()).map(({ data }) => data.value);
    expect(flips).to.have.length(40);
    expect(flips.filter((value, i) => value === flips[i - 1])).to.be.empty;
  });
});
