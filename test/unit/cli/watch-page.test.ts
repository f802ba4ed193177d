import { expect } from "chai";
import { drawPage } from "../../../apps/cli/commands/watch.js";
import { widthOf } from "../../../apps/cli/fit.js";
import type { StatusFacts } from "../../../apps/cli/commands/status-page.js";
import type { Rollout } from "../../../lib/rollout/rollout.js";
import { specSchema } from "../../../lib/rollout/spec.js";
import type { StateReport } from "../../../lib/telemetry/monitor-state.js";

const NOW = Date.UTC(2026, 10, 27, 14, 3, 49);
const ago = (ms: number) => new Date(NOW - ms).toISOString();
const REASON =
  "canary slower on GET /カート: 2.1 × slower than prod after 118 canary requests 🐤; 132 : 1";

const side = {
  requests: 12_345,
  errors: 12,
  p50Ms: 4,
  p95Ms: 1012,
  p99Ms: 2012,
  windowMs: 10_000,
};
const hosts = Array.from({ length: 20 }, (_, at) => ({
  id: `agent@web-${String(at).padStart(2, "0")}-東京.example.com:3101`,
  target: at === 19 ? ("canary" as const) : ("prod" as const),
  host: `web-${at}`,
  pid: 12_345,
  up: at !== 16,
  version: "0.2.0-20261124000747-81fd353b24",
  startedAt: ago(3_600_000),
  cpuRatio: 0.97,
  rssBytes: 6e8,
  probeOk: at !== 16,
  probeMs: 1.2,
  unhealthyAt: null,
  seenAt: ago(at === 5 ? 60_000 : 300),
}));
const stoppedReport: StateReport = {
  now: ago(0),
  silenceMs: 5000,
  flag: {
    ...{ name: "feature", value: false, by: "monitor" },
    ...{ reason: REASON, at: ago(42_000) },
  },
  lease: { holder: "monitor@edge:8090", epoch: 3, ageMs: 400 },
  recovery: { mode: "auto", nextTryAt: null, latched: true, waitsFor: null },
  sides: { prod: side, canary: side },
  proxies: [
    {
      id: "proxy@edge:8080",
      split: "3:1",
      canaryOpen: false,
      because: "the flag is off",
      seenAt: ago(300),
    },
  ],
  hosts,
  verdict: {
    mode: "stop",
    odds: "1 : 7.7",
    outcome: "healthy",
    because: null,
    evidence: -2,
    evidenceToStop: 4.6,
    canaryRequestsNeeded: 0,
  },
  outbox: { pending: 0, held: [] },
};
const stop = {
  id: `${NOW - 42_000}-0`,
  by: "monitor",
  reason: REASON,
  data: {
    flag: "feature",
    value: false,
    prodLatencyMs: 80,
    canaryLatencyMs: 170,
  },
};
const HELD: Rollout = {
  ...{ id: 41, candidate: "0.3.0-20261127000747-81fd353b24", stable: "0.2.0" },
  ...{ phase: "Progressing", step: 1, weight: 10, checked: false, harm: 3 },
  ...{ promoted: 0 },
  ...{ stepStartedAt: NOW - 84_000, startedAt: NOW - 144_000 },
  ...{ heldBy: "requests", heldSince: NOW - 24_000, pausedAt: null },
  ...{ outcome: null, by: "monitor", at: NOW - 24_000 },
  reason: "the canary had 12 of 50 requests",
  spec: specSchema.parse({
    analysis: {},
    rollout: {
      steps: [
        { weight: 2, for: "60s" },
        { weight: 10, for: "60s", requests: 50 },
        { pause: true },
        { weight: 25, for: "90s" },
      ],
    },
  }),
};
const events = Array.from({ length: 30 }, (_, at) => ({
  ...{ ...stop, id: `${NOW - 42_000 - at * 60_000}-0` },
  ...{ kind: "flip" as const, at: ago(42_000) },
}));

function draw(
  width: number,
  rows: number,
  { report = stoppedReport, moment }: Partial<StatusFacts> = {},
): string[] {
  const reading = { report, without: undefined, stop, moment };
  const look = { width, paint: (_style: unknown, text: string) => text };
  return drawPage({ reading, events, now: NOW }, { look, rows });
}

describe("page of serin watch", () => {
  for (const [width, rows] of [
    [80, 24],
    [60, 24],
    [120, 40],
  ] as const)
    it(`fits ${width} × ${rows}, with headline, sides, the stop, members in trouble and events`, () => {
      const lines = draw(width, rows);
      expect(lines.length).to.be.at.most(rows);
      expect(Math.max(...lines.map(widthOf))).to.be.at.most(width);
      const text = lines.join("\n");
      const flat = text.replace(/\s+/g, " ");
      expect(flat).to.include(
        "slower on GET /カート: 2.1 × slower than prod after 118 canary requests 🐤; 132 : 1 · latched until a person resumes it",
      );
      expect(text)
        .to.match(/^prod +12,345 /m)
        .and.match(/^canary +12,345 /m);
      expect(flat).to.match(
        /verdict stopped 14:03:07 UTC by monitor: canary slower/,
      );
      expect(flat).to.include("; canary 170 ms, prod 80 ms");
      expect(text).to.not.include("healthy");
      expect(text).to.match(/^14:0\d:07 UTC {2}flip /m);
      expect(text).to.include("14:03:49 UTC · Ctrl-C ends");
    });

  it("fits 80 × 24 with the steps of a rollout, the verdict and the last events", () => {
    const moment = { rollout: HELD, now: NOW };
    const report = {
      ...stoppedReport,
      flag: { ...stoppedReport.flag, value: true },
    };
    const lines = draw(80, 24, { report, moment });
    expect(lines.length).to.be.at.most(24);
    expect(Math.max(...lines.map(widthOf))).to.be.at.most(80);
    expect(lines.join("\n").replace(/\s+/g, " "))
      .to.include(
        "rollout 41 of 0.3.0-81fd353: 2 % ✔ · 10 % ▶ 1:00 of 1:00 · pause · 25 % · prod (held: the canary had 12 of 50 requests)",
      )
      .and.include("verdict healthy, evidence 1 : 7.7")
      .and.match(/14:0\d:07 UTC flip /);
  });

  it("shows hosts in trouble, and counts the others, where all do not fit", () => {
    const text = draw(100, 30).join("\n");
    expect(text).to.match(/^agent@web-05-東京.* 1 min ago$/m);
    expect(text).to.match(/^agent@web-16-東京.* down .*FAILS/m);
    expect(text).to.include("1 proxy and 18 agents report and are well");
    expect(text).not.to.include("web-06");
    expect(draw(100, 70).join("\n")).to.include("web-06");
  });
});
