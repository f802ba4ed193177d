import { expect } from "chai";
import { judgeMonitor } from "../../../apps/cli/commands/doctor/monitor.js";
import { drawPlan } from "../../../apps/cli/commands/plan-page.js";
import { drawStatus } from "../../../apps/cli/commands/status-page.js";
import { readConfig } from "../../../apps/cli/config.js";
import { widthOf } from "../../../apps/cli/fit.js";
import { MonitorClient } from "../../../apps/cli/sources/monitor-client.js";
import type { PlanReport } from "../../../lib/telemetry/plan-report.js";
import { createGoodState } from "../../support/monitor/state-server.js";

const LOOK = { width: 80, paint: (_style: unknown, text: string) => text };

const plan: PlanReport = {
  ...{ minutes: 10, missing: null, requestsPerSecond: 5000 },
  ...{ prodErrorRatio: 0.001, warmUpMs: 60_000 },
  weights: [
    {
      ...{ weight: 12.25, canaryPerSecond: 12_500 },
      ...{ findsSlowdown: 1.15, findsErrorRatio: 0.0213 },
      slowdowns: [
        { slowdown: 1.2, minutes: 1439, canaryRequests: 123_456_789 },
        { slowdown: 1.5, minutes: 9.5, canaryRequests: 712_345 },
        { slowdown: 2, minutes: 2, canaryRequests: 8468 },
      ],
    },
  ],
  rollout: {
    steps: [{ weight: 2, for: "60s" }],
    because: ["The canary has 1 of 4 hosts, and so 25 % of the capacity"],
  },
};

describe("serin plan's page", () => {
  it("fits 80 columns, also with great figures", () => {
    const lines = drawPlan(plan, LOOK);
    for (const line of lines) expect(widthOf(line), line).to.be.at.most(80);
    const text = lines.join("\n");
    expect(text).to.match(
      /12\.25 % +12,500\/s +× 1\.15 +2\.1 % +24 h 123M +9\.5 min 712k +2 min 8,468/,
    );
    expect(text).to.include("rollout:\n  steps:\n    - {weight: 2, for: 60s}");
    expect(text).to.include(
      "The canary has 1 of 4 hosts, and so 25 % of the capacity.",
    );
  });

  it("is one sentence while something is missing", () => {
    const missing = "prod has had 40 requests";
    const lines = drawPlan({ ...plan, missing }, LOOK);
    expect(lines).to.deep.equal([missing]);
  });
});

describe("hosts that differ by more than the verdict corrects", () => {
  const differing = (ratio: number, factor: number) => ({
    ...createGoodState(),
    hostDifference: { ratio, factor },
  });

  it("are a problem for serin doctor", () => {
    const monitor = new MonitorClient(readConfig({}));
    const problems = (ratio: number, factor: number) =>
      judgeMonitor(monitor, differing(ratio, factor)).flatMap((finding) =>
        finding.level === "problem" ? [finding.says] : [],
      );
    expect(problems(1.2, 1.2)).to.be.empty;
    expect(problems(1.4, 1.25)[0]).to.match(/^hosts differ by 40 %: /);
  });

  it("are told by serin status", () => {
    const draw = (ratio: number, factor: number) =>
      drawStatus(
        {
          report: differing(ratio, factor),
          ...{ without: undefined, stop: undefined, moment: undefined },
        },
        LOOK,
      ).join("\n");
    expect(draw(1.2, 1.2)).not.to.include("hosts differ");
    expect(draw(1.4, 1.25)).to.match(/^hosts +hosts differ by 40 %: /m);
  });
});

describe("prod against itself", () => {
  const HOST = "10.0.0.12:3001";
  const state = (comparisons: number, stopped: number) => ({
    ...createGoodState(),
    placebo: {
      ...{ prodHosts: 2, comparisons, stopped },
      hosts: [
        { host: "10.0.0.11:3001", comparisons: 1, stopped: 0, because: null },
        { host: HOST, comparisons, stopped, because: "1.3 × slower on GET /" },
      ],
    },
  });

  it("is a problem for serin doctor if it would stop more than chance explains", () => {
    const monitor = new MonitorClient(readConfig({}));
    const problems = (comparisons: number, stopped: number) =>
      judgeMonitor(monitor, state(comparisons, stopped)).flatMap((finding) =>
        finding.level === "problem" ? [finding.says] : [],
      );
    expect(problems(144, 0)).to.be.empty;
    expect(problems(10, 2)).to.be.empty;
    expect(problems(144, 7)).to.be.empty;
    expect(problems(34, 3)).to.deep.equal([
      "prod against itself: 3 of 34 comparisons would have stopped, most often 10.0.0.12:3001 (1.3 × slower on GET /)",
    ]);
  });

  it("is told by serin status", () => {
    const report = state(34, 0);
    const known = { without: undefined, stop: undefined, moment: undefined };
    expect(drawStatus({ report, ...known }, LOOK).join("\n")).to.match(
      /^placebo +prod against itself: 0 of 34 comparisons would have stopped$/m,
    );
  });
});
