import { expect } from "chai";
import { MemoryWatch } from "../../../apps/monitor/telemetry/memory-watch.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";
import { goneSample, hostSample } from "../../support/monitor/telemetry.js";

const START = 1_700_000_000_000;
const MB = 1e6;
const AGENTS = { prod: "agent@web1:3101", canary: "agent@web2:3102" };

type Memory = (second: number) => number;

/** Feeds a sample of each side each second. A side's memory is in MB. @returns at which second the alert came, or undefined */
function firstAlert(
  memory: Partial<Record<Side, Memory>>,
  seconds = 3600,
): number | undefined {
  const watch = new MemoryWatch(1.5);
  for (let second = 0; second <= seconds; second++) {
    const now = START + second * 1000;
    for (const side of ["prod", "canary"] as const) {
      const rssBytes = (memory[side]?.(second) ?? -1) * MB;
      if (rssBytes >= 0)
        watch.heardHost(AGENTS[side], hostSample(side, { rssBytes }), now);
    }
    if (watch.alerts(now).length > 0) return second;
  }
  return undefined;
}

describe("memory rule", () => {
  it("raises an alert when the canary grows and prod does not", () => {
    const leak: Memory = (second) => 100 + second / 2;
    const second = firstAlert({ prod: () => 120, canary: leak });
    // Above 1.5 * 120 MB + 64 MB for a minute.
    expect(second).to.be.within(345, 355);
  });

  it("raises an alert for a leak in the first minutes", () => {
    const leak: Memory = (second) => Math.min(436, 65 + 10 * second);
    const second = firstAlert({ prod: () => 65, canary: leak });
    expect(second).to.be.within(65, 75);
  });

  it("says how much it was, is, and how much prod has", () => {
    const watch = new MemoryWatch(1.5);
    for (let second = 0; second <= 600; second += 10) {
      const now = START + second * 1000;
      const rssBytes = (second <= 120 ? 100 : 500) * MB;
      watch.heardHost(
        AGENTS.prod,
        hostSample("prod", { rssBytes: 90 * MB }),
        now,
      );
      watch.heardHost(
        AGENTS.canary,
        hostSample("canary", { host: "web2", pid: 5, rssBytes }),
        now,
      );
    }
    expect(watch.alerts(START + 600_000)).to.deep.equal([
      {
        id: `memory:${AGENTS.canary}`,
        kind: "alert",
        reason:
          "the memory of the canary app on web2 has grown from 100 MB to 500 MB; prod's is 90 MB",
        data: {
          alert: "memory",
          source: AGENTS.canary,
          ...{ target: "canary", host: "web2", pid: 5 },
          ...{ rssBytes: 500e6, startBytes: 100e6, prodBytes: 90e6 },
        },
      },
    ]);
    watch.heardHost(AGENTS.canary, goneSample("canary"), START + 600_000);
    expect(watch.alerts(START + 600_000)).to.be.empty;
  });

  for (const [what, memory] of [
    [
      "warms up to prod's size",
      { prod: () => 800, canary: (s) => Math.min(800, 80 + s) },
    ],
    [
      "is larger than prod from its start",
      { prod: () => 100, canary: () => 400 },
    ],
    [
      "grows as prod grows",
      { prod: (s) => 120 + s, canary: (s) => 100 + 1.2 * s },
    ],
    [
      "frees its garbage once a minute",
      { prod: () => 120, canary: (s) => 120 + 10 * (s % 50) },
    ],
    [
      "differs by less than small services do",
      { prod: () => 30, canary: (s) => Math.min(100, 25 + s / 10) },
    ],
    ["has no prod to compare with", { canary: (s) => 100 + 10 * s }],
  ] as [string, Partial<Record<Side, Memory>>][])
    it(`raises none when the canary ${what}`, () => {
      expect(firstAlert(memory)).to.equal(undefined);
    });

  it("starts anew with a new process", () => {
    const watch = new MemoryWatch(1.5);
    for (let second = 0; second <= 600; second += 5) {
      const now = START + second * 1000;
      const [pid, rssBytes] = second < 480 ? [1, 100 * MB] : [2, 900 * MB];
      watch.heardHost(AGENTS.prod, hostSample("prod"), now);
      watch.heardHost(
        AGENTS.canary,
        hostSample("canary", { pid, rssBytes }),
        now,
      );
      expect(watch.alerts(now)).to.be.empty;
    }
  });
});
