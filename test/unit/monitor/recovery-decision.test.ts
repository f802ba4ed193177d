import { expect } from "chai";
import {
  afterBreach,
  decideRecovery,
  type RecoveryFacts,
  type RecoveryState,
} from "../../../apps/monitor/control/recovery.js";

const FLIPPED_AT = 1_700_000_000_000;
const COOLDOWN_MS = 60_000;
const DUE_AT = FLIPPED_AT + COOLDOWN_MS;
const AUTO = { mode: "auto", cooldownMs: COOLDOWN_MS } as const;

function stoppedBy(rule: RecoveryState["rule"]): RecoveryState {
  const stop = { now: FLIPPED_AT, rule, versions: ["1.2.3"] };
  return afterBreach(null, AUTO, stop);
}

/** The monitor's own flip after one breach, with a healthy canary since. */
const COOLING_DOWN: RecoveryFacts = {
  isOwnFlip: true,
  state: stoppedBy("latency"),
  lastUnhealthyAt: null,
  unwell: undefined,
  isProdInBreach: false,
  versions: ["1.2.3"],
  releasedAt: 0,
};

function decide(
  facts: Partial<RecoveryFacts> = {},
  now = DUE_AT,
  rule: Parameters<typeof decideRecovery>[1] = AUTO,
) {
  return decideRecovery({ ...COOLING_DOWN, ...facts }, rule, now);
}

describe("recovery decision", () => {
  it("waits exactly for the cool-down", () => {
    expect(decide({}, DUE_AT - 1)).to.deep.equal({
      isDue: false,
      nextTryAt: DUE_AT,
      waitsFor: "the cool-down",
    });
    expect(decide({}, DUE_AT)).to.deep.equal({
      isDue: true,
      nextTryAt: DUE_AT,
      waitsFor: null,
    });
  });

  for (const rule of ["verdict", "breaker"] as const) {
    it(`waits for another version after a stop by the ${rule}`, () => {
      const state = stoppedBy(rule);
      for (const versions of [["1.2.3"], ["1.2.3", "1.2.4"], []])
        expect(decide({ state, versions })).to.deep.equal({
          isDue: false,
          nextTryAt: null,
          waitsFor: "another version, or a person",
        });
      expect(decide({ state, versions: ["1.2.4"] }).isDue).to.be.true;
      const before = { state, releasedAt: FLIPPED_AT - 1 };
      expect(decide(before).isDue).to.be.false;
      expect(decide({ state, releasedAt: FLIPPED_AT + 1 }).isDue).to.be.true;
    });
  }

  it("waits for a person after the abort of a rollout, whatever the version", () => {
    const state = stoppedBy("verdict");
    expect(decide({ aborted: "41", state, versions: ["1.2.4"] })).to.deep.equal(
      {
        isDue: false,
        nextTryAt: null,
        waitsFor: "a person: rollout 41 is aborted (serin rollout retry)",
      },
    );
    expect(decide({ aborted: "41" }).isDue).to.be.false;
  });

  it("restarts the cool-down with each failing probe", () => {
    const lastUnhealthyAt = FLIPPED_AT + 50_000;
    expect(decide({ lastUnhealthyAt })).to.deep.equal({
      isDue: false,
      nextTryAt: lastUnhealthyAt + COOLDOWN_MS,
      waitsFor: "the cool-down",
    });
    expect(
      decide({ lastUnhealthyAt }, lastUnhealthyAt + COOLDOWN_MS),
    ).to.have.property("isDue").true;
  });

  it("names the canary that is not healthy, also during the cool-down", () => {
    const unwell = "the canary app on web2, which is gone";
    for (const now of [FLIPPED_AT + 1, DUE_AT + 1])
      expect(decide({ unwell }, now)).to.deep.equal({
        isDue: false,
        nextTryAt: DUE_AT,
        waitsFor: unwell,
      });
  });

  it("ignores probes that failed before the breach", () => {
    expect(decide({ lastUnhealthyAt: FLIPPED_AT - 1 }).isDue).to.be.true;
  });

  it("waits for an agent that reports", () => {
    expect(decide({ lastUnhealthyAt: undefined })).to.deep.equal({
      isDue: false,
      nextTryAt: DUE_AT,
      waitsFor: "a probe of the canary: no agent is reporting",
    });
  });

  it("waits for prod while prod is in breach itself", () => {
    const decision = decide({ isProdInBreach: true });
    expect(decision.isDue).to.be.false;
    expect(decision.waitsFor).to.match(/^prod/);
  });

  it("undoes only the monitor's own flip", () => {
    expect(decide({ isOwnFlip: false })).to.deep.equal({
      isDue: false,
      nextTryAt: null,
      waitsFor: null,
    });
  });

  for (const [what, decision] of [
    ["recovery is manual", decide({}, DUE_AT, { ...AUTO, mode: "manual" })],
    ["nothing is known of the breach", decide({ state: null })],
    [
      "it is latched",
      decide({ state: { ...COOLING_DOWN.state!, latched: true } }),
    ],
  ] as const) {
    it(`waits for a person when ${what}`, () => {
      expect(decision).to.deep.include({ isDue: false, nextTryAt: null });
      expect(decision.waitsFor).to.match(/^a person: /);
    });
  }

  it("counts from the last breach of a streak, with its own cool-down", () => {
    const state = afterBreach(COOLING_DOWN.state, AUTO, {
      now: FLIPPED_AT + 500_000,
      rule: "latency",
      versions: ["1.2.3"],
    });
    expect(decide({ state }, DUE_AT).nextTryAt).to.equal(
      FLIPPED_AT + 500_000 + 2 * COOLDOWN_MS,
    );
  });
});
