import { expect } from "chai";
import {
  toMonitorFamilies,
  type MonitorFigures,
} from "../../../apps/monitor/api/monitor-metrics.js";
import type { Rollout } from "../../../lib/rollout/rollout.js";
import { readSpec } from "../../support/redis/test-rollout.js";
import type { Verdict } from "../../../apps/monitor/verdict/verdict.js";

const SIDE = {
  ...{ requests: 200, errors: 0, withoutFeature: 0, windowMs: 10_000 },
  ...{ p50Ms: 4, p95Ms: 9, p99Ms: null },
};

function read(name: string, change: Partial<MonitorFigures> = {}) {
  const families = toMonitorFamilies({
    system: { name: "shop", environment: "prod" },
    stored: { flag: true, lease: null, outboxPending: 0, alerts: [] },
    leads: true,
    sides: { prod: SIDE, canary: SIDE },
    verdict: undefined,
    placebo: undefined,
    tally: { kinds: new Map(), flips: new Map() },
    couriers: [],
    skippedTelemetry: 0,
    ...change,
  });
  return families.find((family) => family.name === name)!.samples;
}

describe("the monitor's metrics", () => {
  it("have quantiles as Prometheus labels them, without unknown ones", () => {
    expect(read("serin_side_latency_seconds")).to.have.deep.members([
      [0.004, { target: "prod", quantile: "0.5" }],
      [0.009, { target: "prod", quantile: "0.95" }],
      [0.004, { target: "canary", quantile: "0.5" }],
      [0.009, { target: "canary", quantile: "0.95" }],
    ]);
  });

  it("have the phase, the step and the weight of the rollout", () => {
    const spec = readSpec({});
    const rollout = {
      ...{ id: 41, phase: "Progressing", step: 1, weight: 10, spec },
    } as Rollout;
    const stored = { flag: true, lease: null, outboxPending: 0, alerts: [] };
    const now = { stored: { ...stored, rollout } };
    expect(read("serin_rollout_phase", now)).to.deep.include([
      1,
      { rollout: "41", phase: "Progressing" },
    ]);
    expect(read("serin_rollout_step", now)).to.deep.equal([
      [1, { steps: "done" }],
      [3, { steps: "all" }],
    ]);
    expect(read("serin_rollout_weight_ratio", now)).to.deep.equal([[0.1]]);
  });

  it("show apart what prod turns away", () => {
    const prod = { ...SIDE, withoutFeature: 90 };
    const sides = { prod, canary: SIDE };
    expect(read("serin_side_without_feature_ratio", { sides })).to.deep.equal([
      [0.45, { target: "prod" }],
      [0, { target: "canary" }],
    ]);
    expect(read("serin_side_error_ratio", { sides })).to.deep.equal([
      [0, { target: "prod" }],
      [0, { target: "canary" }],
    ]);
  });

  for (const [outcome, flag, shown] of [
    ["healthy", true, "healthy"],
    ["healthy", false, "stopped"],
    ["insufficient", false, "stopped"],
    ["worse", false, "stopped"],
    ["warming", true, "warming"],
  ] as const)
    it(`call the outcome ${shown} if it is ${outcome} and the flag is ${flag ? "on" : "off"}`, () => {
      const verdict = { outcome, evidence: 0, evidenceToStop: 4.6 } as Verdict;
      const stored = { flag, lease: null, outboxPending: 0, alerts: [] };
      const holds = read("serin_verdict_outcome", { verdict, stored })
        .filter(([value]) => value === 1)
        .map(([, labels]) => labels?.outcome);
      expect(holds).to.deep.equal([shown]);
    });

  it("count the comparisons of prod's hosts that would have stopped", () => {
    const placebo = { prodHosts: 2, comparisons: 34, stopped: 3, hosts: [] };
    const values = ["comparisons", "stopped"].map((name) =>
      read(`serin_placebo_${name}`, { placebo }).map(([value]) => value),
    );
    expect(values).to.deep.equal([[34], [3]]);
  });
});
