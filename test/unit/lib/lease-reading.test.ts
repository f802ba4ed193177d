import { expect } from "chai";
import { readLease } from "../../../lib/flag/lease-reading.js";
import { encodeLease } from "../../support/redis/lease.js";

describe("lease reading", () => {
  it("contains holder, epoch and the time since the last renewal", () => {
    const lease = encodeLease("monitor@edge1:8090#a", 7);
    const holder = "monitor@edge1:8090#a";
    expect(readLease(lease, 2900)).to.include({ holder, epoch: 7, ageMs: 100 });
  });

  for (const raw of [
    null,
    "",
    "monitor",
    "null",
    "{}",
    '{"holder":"m"}',
    '{"holder":"m","epoch":"7"}',
    '{"holder":"m","epoch":1.5}',
    '{"holder":null,"epoch":7}',
  ]) {
    it(`finds no lease in ${JSON.stringify(raw)}`, () => {
      expect(readLease(raw, 42)).to.be.null;
    });
  }
});
