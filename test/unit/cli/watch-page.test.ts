import { expect } from "chai";
import { drawPage } from "../../../apps/cli/commands/watch.js";
import { widthOf } from "../../../apps/cli/fit.js";
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
const events = Array.from({ length: 30 }, (_, at) => ({
  ...{ ...stop, id: `${NOW - 42_000 - at * 60_000}-0` },
  ...{ kind: "flip" as const, at: ago(42_000) },
}));

function draw(width: number, rows: number, report = stoppedReport): string[] {
  const reading = { report, without: undefined, stop };
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

  it("shows hosts in trouble, and counts the others, where all do not fit", () => {
    const text = draw(100, 30).join("\n");
    expect(text).to.match(/^agent@web-05-東京.* 1 min ago$/m);
    expect(text).to.match(/^agent@web-16-東京.* down .*FAILS/m);
    expect(text).to.include("1 proxy and 18 agents report and are well");
    expect(text).not.to.include("web-06");
    expect(draw(100, 70).join("\n")).to.include("web-06");
  });
});
