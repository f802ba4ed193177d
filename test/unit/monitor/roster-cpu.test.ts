import { expect } from "chai";
import { Roster } from "../../../apps/monitor/telemetry/roster.js";
import type { HostSample } from "../../../lib/telemetry/telemetry.js";
import { goneSample, hostSample } from "../../support/monitor/telemetry.js";

const AGENT = "agent@web1:3101";
const START = 1_700_000_000_000;
const WINDOW_MS = 30_000;
const SILENCE_MS = 5000;

const busy = (fields: Partial<HostSample> = {}) =>
  hostSample("prod", { cpuRatio: 0.95, ...fields });

/** Feeds the samples at these times after START. */
function rosterOf(
  samples: readonly (readonly [afterMs: number, HostSample])[],
): Roster {
  const roster = new Roster({
    cpu: { threshold: 0.9, windowMs: WINDOW_MS },
    silenceMs: SILENCE_MS,
    alertDelayMs: 0,
  });
  for (const [afterMs, sample] of samples)
    roster.heardHost(AGENT, sample, START + afterMs);
  return roster;
}

/** A sample each second from `fromMs` to `toMs`, inclusive. */
function everySecond(fromMs: number, toMs: number, sample: HostSample) {
  return Array.from(
    { length: (toMs - fromMs) / 1000 + 1 },
    (_, i) => [fromMs + i * 1000, sample] as const,
  );
}

function alerts(roster: Roster, afterMs: number) {
  return roster.alerts(START + afterMs, 0);
}

describe("roster's CPU rule", () => {
  it("raises an alert when the CPU exceeds the threshold for the whole window", () => {
    const before = rosterOf(everySecond(0, WINDOW_MS - 1000, busy()));
    expect(alerts(before, WINDOW_MS - 1000)).to.be.empty;
    const whole = rosterOf(everySecond(0, WINDOW_MS, busy()));
    expect(alerts(whole, WINDOW_MS)).to.deep.equal([
      {
        id: `cpu:${AGENT}`,
        kind: "alert",
        reason:
          "the prod app on web1 has used more than 90 % of a core for 30 s, 95 % now",
        data: {
          alert: "cpu",
          source: AGENT,
          target: "prod",
          host: "web1",
          pid: 4711,
          cpuRatio: 0.95,
          threshold: 0.9,
          windowMs: WINDOW_MS,
        },
      },
    ]);
  });

  it("lasts until the first sample below the threshold", () => {
    const samples = everySecond(0, 2 * WINDOW_MS, busy());
    const roster = rosterOf(samples);
    expect(alerts(roster, 2 * WINDOW_MS)).to.have.length(1);
    roster.heardHost(AGENT, hostSample("prod"), START + 2 * WINDOW_MS + 1000);
    expect(alerts(roster, 2 * WINDOW_MS + 1000)).to.be.empty;
  });

  it("is not met at exactly the threshold", () => {
    const roster = rosterOf(everySecond(0, WINDOW_MS, busy({ cpuRatio: 0.9 })));
    expect(alerts(roster, WINDOW_MS)).to.be.empty;
  });

  for (const [what, interruption] of [
    ["a sample below the threshold", hostSample("prod")],
    ["a sample without the app", goneSample("prod")],
    ["a sample of another process", busy({ pid: 4712 })],
  ] as const) {
    it(`starts over after ${what}`, () => {
      const roster = rosterOf([
        ...everySecond(0, 15_000, busy()),
        [16_000, interruption],
        ...everySecond(17_000, 46_000, busy()),
      ]);
      expect(alerts(roster, 46_000)).to.be.empty;
      roster.heardHost(AGENT, busy(), START + 47_000);
      expect(alerts(roster, 47_000)).to.have.length(1);
    });
  }

  it("starts over after a gap in the samples", () => {
    const gapMs = SILENCE_MS + 1;
    const roster = rosterOf([
      ...everySecond(0, 29_000, busy()),
      ...everySecond(29_000 + gapMs, 58_000 + gapMs, busy()),
    ]);
    expect(alerts(roster, 58_000 + gapMs)).to.be.empty;
  });

  it("may be met beside a failing probe", () => {
    const probe = { ok: false, ms: 1, status: 500 };
    const roster = rosterOf(everySecond(0, WINDOW_MS, busy({ probe })));
    expect(alerts(roster, WINDOW_MS).map(({ id }) => id)).to.deep.equal([
      `probe:${AGENT}`,
      `cpu:${AGENT}`,
    ]);
  });
});
