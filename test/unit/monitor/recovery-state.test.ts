import { expect } from "chai";
import {
  afterBreach,
  afterRecovery,
  countTries,
  parseRecovery,
  type RecoveryState,
} from "../../../apps/monitor/control/recovery.js";

const NOW = 1_700_000_000_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const AUTO = { mode: "auto", cooldownMs: MINUTE_MS } as const;

const breach = (
  previous: RecoveryState | null,
  rule: Parameters<typeof afterBreach>[1],
  now: number,
  stop: Partial<RecoveryState> = {},
) =>
  afterBreach(previous, rule, {
    rule: "latency",
    versions: ["1.2.3"],
    ...stop,
    now,
  });

/** The state after breaches at these times, with a recovery a minute after each but the last. */
function afterBreaches(
  times: readonly number[],
  rule: Parameters<typeof afterBreach>[1] = AUTO,
): RecoveryState | null {
  return times.reduce<RecoveryState | null>(
    (state, at) => breach(state && afterRecovery(state, at - 1), rule, at),
    null,
  );
}

describe("recovery state", () => {
  it("starts with the first breach and the configured cool-down", () => {
    expect(breach(null, AUTO, NOW)).to.deep.equal({
      breaches: [NOW],
      cooldownMs: MINUTE_MS,
      recoveredAt: null,
      latched: false,
      rule: "latency",
      versions: ["1.2.3"],
    });
  });

  it("begins a new streak when another version comes", () => {
    const twice = afterBreaches([NOW, NOW + 1])!;
    const versions = ["1.2.4"];
    expect(countTries(twice, ["1.2.3"], NOW)).to.equal(3);
    expect(countTries(twice, versions, NOW)).to.equal(1);
    expect(breach(twice, AUTO, NOW + 2, { versions })).to.include({
      cooldownMs: MINUTE_MS,
      latched: false,
    });
  });

  it("doubles the cool-down with each further breach, up to an hour", () => {
    const times: number[] = [];
    const cooldowns = Array.from({ length: 9 }, (_, i) => {
      times.push(NOW + i * 0.9 * HOUR_MS);
      return afterBreaches(times)!.cooldownMs / MINUTE_MS;
    });
    expect(cooldowns).to.deep.equal([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  it("keeps a configured cool-down of more than an hour", () => {
    const rule = { mode: "auto", cooldownMs: 5 * HOUR_MS } as const;
    expect(afterBreaches([NOW, NOW + 1], rule)?.cooldownMs).to.equal(
      5 * HOUR_MS,
    );
  });

  it("latches at the third breach within an hour", () => {
    expect(afterBreaches([NOW, NOW + 1])?.latched).to.be.false;
    expect(afterBreaches([NOW, NOW + 1, NOW + 2])?.latched).to.be.true;
    const third = (at: number) =>
      afterBreaches([NOW, NOW + HOUR_MS / 2, at])?.latched;
    expect(third(NOW + HOUR_MS - 1)).to.be.true;
    expect(third(NOW + HOUR_MS)).to.be.false;
  });

  it("does not latch when recovery is manual", () => {
    const manual = { ...AUTO, mode: "manual" } as const;
    const state = afterBreaches([NOW, NOW + 1, NOW + 2], manual);
    expect(state?.latched).to.be.false;
  });

  it("forgets the streak after an hour without a breach, not earlier", () => {
    const twice = afterBreaches([NOW, NOW + MINUTE_MS])!;
    const recovered = afterRecovery(twice, NOW + 2 * MINUTE_MS);
    const next = (afterMs: number) =>
      breach(recovered, AUTO, NOW + 2 * MINUTE_MS + afterMs);
    expect(next(HOUR_MS)).to.deep.equal(
      breach(null, AUTO, NOW + 2 * MINUTE_MS + HOUR_MS),
    );
    expect(next(HOUR_MS - 1).cooldownMs).to.equal(4 * MINUTE_MS);
  });

  it("is kept while the flag is off, however long", () => {
    const once = breach(null, AUTO, NOW);
    const again = breach(once, AUTO, NOW + 5 * HOUR_MS);
    expect(again.cooldownMs).to.equal(2 * MINUTE_MS);
  });

  it("stays small over an endless streak", () => {
    const times = Array.from({ length: 100 }, (_, i) => NOW + i * HOUR_MS);
    const state = afterBreaches(times.map((at, i) => at - i * MINUTE_MS));
    expect(state?.breaches).to.have.length.at.most(20);
    expect(state?.cooldownMs).to.equal(HOUR_MS);
  });

  it("is read back as it was stored", () => {
    const state = afterBreaches([NOW, NOW + 1])!;
    expect(parseRecovery(JSON.stringify(state))).to.deep.equal(state);
  });

  for (const raw of [null, "", "{", "[]", '{"breaches":[]}', "true"]) {
    it(`is null when ${JSON.stringify(raw)} is stored`, () => {
      expect(parseRecovery(raw)).to.be.null;
    });
  }
});
