import { expect } from "chai";
import {
  advanceProcess,
  describeProcess,
} from "../../../apps/agent/app-process.js";
import { ageOf, type ProcessUsage } from "../../../apps/agent/process-usage.js";

const NOW = Date.UTC(2030, 0, 1);

/** A process that has run for a minute at half a core. */
function usage(changes: Partial<ProcessUsage> = {}): ProcessUsage {
  return {
    pid: 123,
    cpuMs: new Map([[123, 30_000]]),
    rssBytes: 50_000_000,
    elapsedMs: 60_000,
    readAt: 5000,
    ...changes,
  };
}

describe("agent app process", () => {
  it("is measured over its whole life at the first reading", () =>
    expect(
      describeProcess(advanceProcess(undefined, usage(), NOW)),
    ).to.deep.equal({
      up: true,
      pid: 123,
      startedAt: "2029-12-31T23:59:00.000Z",
      cpuRatio: 0.5,
      rssBytes: 50_000_000,
    }));

  it("is measured since the previous reading after that", () => {
    const first = advanceProcess(undefined, usage(), NOW);
    const next = usage({
      cpuMs: new Map([[123, 31_800]]),
      elapsedMs: 61_000,
      readAt: 6000,
    });
    expect(advanceProcess(first, next, NOW + 1000).cpuRatio).to.equal(1.8);
  });

  it("keeps its start time when the clock is adjusted", () => {
    const first = advanceProcess(undefined, usage(), NOW);
    const next = usage({ elapsedMs: 61_000, readAt: 6000 });
    const after = advanceProcess(first, next, NOW - 3_600_000);
    expect(after.startedAt).to.equal(first.startedAt);
  });

  it("starts over when the pid changes", () => {
    const first = advanceProcess(undefined, usage(), NOW);
    const next = usage({
      pid: 124,
      cpuMs: new Map([[124, 40_000]]),
      elapsedMs: 80_000,
    });
    const after = advanceProcess(first, next, NOW);
    expect(after.startedAt).to.equal(NOW - 80_000);
    expect(after.cpuRatio).to.equal(0.5);
  });

  for (const [what, younger] of [
    ["a lower age", { elapsedMs: 59_999 }],
    ["used less CPU", { cpuMs: new Map([[123, 29_999]]) }],
  ] as const) {
    it(`starts over when the same pid has ${what}`, () => {
      const first = advanceProcess(undefined, usage(), NOW);
      const after = advanceProcess(first, usage(younger), NOW + 1000);
      expect(after.startedAt).to.equal(NOW + 1000 - after.usage.elapsedMs);
      expect(after.cpuRatio).to.be.closeTo(0.5, 0.001);
    });
  }

  it("counts the CPU of children, of new ones from their start", () => {
    const first = advanceProcess(undefined, usage(), NOW);
    const next = usage({
      cpuMs: new Map([
        [123, 30_100],
        [124, 700],
      ]),
      elapsedMs: 61_000,
      readAt: 6000,
    });
    expect(advanceProcess(first, next, NOW).cpuRatio).to.equal(0.8);
  });

  it("ignores a child that has ended", () => {
    const both = new Map([
      [123, 30_000],
      [124, 9000],
    ]);
    const first = advanceProcess(undefined, usage({ cpuMs: both }), NOW);
    const next = usage({
      cpuMs: new Map([[123, 30_500]]),
      elapsedMs: 61_000,
      readAt: 6000,
    });
    expect(advanceProcess(first, next, NOW).cpuRatio).to.equal(0.5);
  });

  it("takes the CPU of its cgroup, where that is known", () => {
    const first = advanceProcess(
      undefined,
      usage({ cgroupCpuMs: 90_000 }),
      NOW,
    );
    expect(first.cpuRatio).to.equal(1.5);
    const next = usage({
      cgroupCpuMs: 90_400,
      elapsedMs: 61_000,
      readAt: 6000,
    });
    expect(advanceProcess(first, next, NOW).cpuRatio).to.equal(0.4);
  });

  it("has the right age where the system's uptime is a container's", () => {
    const containerUptime = 120_000;
    const own = { elapsed: containerUptime - 18_000_000 };
    const app = { elapsed: containerUptime - 17_990_000 };
    expect(ageOf(app, own, 4000)).to.equal(14_000);
  });

  it("has a CPU ratio of 0 when no time has passed", () => {
    const first = advanceProcess(undefined, usage({ elapsedMs: 0 }), NOW);
    expect(first.cpuRatio).to.equal(0);
    expect(advanceProcess(first, first.usage, NOW).cpuRatio).to.equal(0);
  });

  it("has no figures while it is not running", () =>
    expect(describeProcess(undefined)).to.deep.equal({
      up: false,
      pid: null,
      startedAt: null,
      cpuRatio: null,
      rssBytes: null,
    }));
});
