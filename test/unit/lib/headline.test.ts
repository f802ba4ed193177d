import { expect } from "chai";
import {
  describeHeadline,
  listMissing,
} from "../../../lib/wording/headline.js";
import { readShare } from "../../../lib/telemetry/split-ratio.js";
import {
  formatClock,
  formatCountdown,
  formatSpan,
} from "../../../lib/wording/units.js";
import type { RolloutReport } from "../../../lib/rollout/rollout-report.js";
import type { StateReport } from "../../../lib/telemetry/monitor-state.js";

const NOW = Date.UTC(2026, 10, 27, 14, 3, 49);
const ago = (ms: number) => new Date(NOW - ms).toISOString();

const summary = {
  requests: 30,
  errors: 0,
  p50Ms: 4,
  p95Ms: 9,
  p99Ms: 12,
  windowMs: 10_000,
};
const proxy = {
  id: "proxy@edge:8080",
  split: "3:1",
  canaryOpen: true,
  because: null,
  seenAt: ago(300),
};
const host = {
  id: "agent@web2:3102",
  target: "canary" as const,
  host: "web2",
  pid: 7,
  up: true,
  version: "1.2.0",
  startedAt: ago(3_600_000),
  cpuRatio: 0.1,
  rssBytes: 6e7,
  probeOk: true,
  probeMs: 1.2,
  unhealthyAt: null,
  seenAt: ago(300),
};
const healthy: StateReport = {
  now: ago(0),
  silenceMs: 5000,
  flag: {
    name: "feature",
    value: true,
    by: "operator",
    reason: "fixed",
    at: ago(12 * 60_000),
  },
  lease: { holder: "monitor@edge:8090", epoch: 3, ageMs: 400 },
  recovery: { mode: "auto", nextTryAt: null, latched: false, waitsFor: null },
  sides: { prod: summary, canary: summary },
  proxies: [proxy],
  hosts: [host],
  verdict: null,
  outbox: { pending: 0, held: [] },
};
const rollout: RolloutReport = {
  ...{ id: 41, candidate: "0.3.0", stable: "0.2.0", phase: "Progressing" },
  ...{ step: 1, stepStartedAt: ago(41_000), weight: 7.5, checked: false },
  ...{ pausedAt: null, heldBy: null, heldSince: null, outcome: null },
  ...{ by: "monitor", reason: "", at: ago(41_000), startedAt: ago(101_000) },
  ...{ harm: 0, promoted: 0 },
  spec: {
    rollout: { steps: [{ weight: 2 }, { weight: 7.5, for: "60s" }] },
  },
};
const stopped: StateReport = {
  ...healthy,
  flag: {
    name: "feature",
    value: false,
    by: "monitor",
    reason: "canary p95 1,012 ms > 500 ms over 10 s (7 requests)",
    at: ago(42_000),
  },
  recovery: {
    mode: "auto",
    nextTryAt: ago(-42_000),
    latched: false,
    waitsFor: "the cool-down",
  },
  proxies: [{ ...proxy, canaryOpen: false, because: "flag is false" }],
};

const say = (change: Partial<StateReport> = {}, base = healthy) =>
  describeHeadline({ ...base, ...change }, NOW);

describe("headline", () => {
  for (const [change, tone, text] of [
    [
      {},
      "good",
      "Rollout 41 of 0.3.0: step 2 of 2, canary takes 7.5 %, 0:41 of 1:00 · healthy for 12 min",
    ],
    [
      { heldBy: "evidence", stepStartedAt: ago(90_000) },
      "warning",
      "Rollout 41 of 0.3.0: step 2 of 2, canary takes 7.5 %, 1:00 of 1:00 · held until it looks no worse than prod",
    ],
    [
      { phase: "Paused", pausedAt: ago(10_000) },
      "warning",
      "Rollout 41 of 0.3.0: step 2 of 2, canary takes 7.5 %, 0:31 of 1:00 · paused until a person promotes it",
    ],
    [
      { phase: "Promoting", step: 2, promoted: 1 },
      "good",
      "Rollout 41 of 0.3.0: prod gets it, 1 host has it, canary takes 7.5 % · healthy for 12 min",
    ],
    [
      { phase: "Healthy", step: 2 },
      "good",
      "Canary takes 25 % of traffic · healthy for 12 min",
    ],
  ] as const)
    it(`names the rollout: ${text}`, () => {
      const state = { ...healthy, rollout: { ...rollout, ...change } };
      expect(describeHeadline(state, NOW)).to.deep.equal({ tone, text });
    });

  it("says that an aborted rollout waits for a person", () => {
    const aborted = { ...rollout, phase: "Aborted" } as const;
    const state = { ...stopped, rollout: aborted };
    expect(describeHeadline(state, NOW).text).to.match(
      / · rollout 41 is aborted until a person retries it$/,
    );
  });

  it("says what prod turns away while the canary is stopped", () => {
    const sides = {
      prod: { ...summary, withoutFeature: 93 },
      canary: summary,
    };
    expect(listMissing({ ...stopped, sides })).to.deep.equal([
      "prod answers 9.3 requests/s without the feature",
    ]);
    expect(listMissing(stopped)).to.deep.equal([]);
    expect(listMissing({ ...healthy, sides })).to.deep.equal([]);
  });

  it("shows the canary's share and how long it has been healthy", () =>
    expect(say()).to.deep.equal({
      tone: "good",
      text: "Canary takes 25 % of traffic · healthy for 12 min",
    }));

  it("counts its health from the last start, failure or flip of the canary", () => {
    const since = (change: Partial<StateReport["hosts"][number]>) =>
      say({ hosts: [host, { ...host, ...change }] }).text;
    expect(since({ startedAt: ago(180_000) })).to.match(/healthy for 3 min$/);
    expect(since({ unhealthyAt: ago(120_000) })).to.match(/healthy for 2 min$/);
    expect(since({ target: "prod", startedAt: ago(60_000) })).to.match(
      /healthy for 12 min$/,
    );
    const flag = { ...healthy.flag, at: null };
    expect(say({ flag }).text).to.match(/healthy for 1 h 0 min$/);
    expect(say({ flag, hosts: [] }).text).to.match(/ · healthy$/);
  });

  it("never calls a second try healthy", () => {
    const recovery = { ...healthy.recovery, attempt: 2 };
    expect(say({ recovery })).to.deep.equal({
      tone: "warning",
      text: "Canary takes 25 % of traffic · a second try after a stop, for 12 min",
    });
  });

  it("says that a stopped version waits for another one", () => {
    const waitsFor = "another version, or a person";
    const recovery = { ...stopped.recovery, nextTryAt: null, waitsFor };
    expect(say({ recovery }, stopped).text).to.match(
      / · stays off until another version comes or a person resumes it$/,
    );
  });

  it("shows a range when shares differ between proxies", () =>
    expect(say({ proxies: [proxy, { ...proxy, split: "9:1" }] }).text).to.equal(
      "Canary takes 10–25 % of traffic · healthy for 12 min",
    ));

  it("does not call a canary without requests healthy", () => {
    const idle = { ...summary, requests: 0 };
    expect(say({ sides: { prod: idle, canary: idle } }).text).to.equal(
      "Canary takes 25 % of traffic · no requests just now",
    );
  });

  it("shows when and why the canary was stopped, and the next retry", () =>
    expect(say({}, stopped)).to.deep.equal({
      tone: "stopped",
      text: "Canary stopped 14:03:07 UTC: p95 1,012 ms > 500 ms · automatic retry in 0:42",
    }));

  it("shows what a due retry waits for", () =>
    expect(
      say(
        {
          recovery: {
            ...stopped.recovery,
            nextTryAt: ago(1),
            waitsFor: "prod, which is in breach itself",
          },
        },
        stopped,
      ).text,
    ).to.match(
      / · automatic retry waits for prod, which is in breach itself$/,
    ));

  it("shows which canary's probe fails instead of a retry that moves on", () => {
    const waitsFor =
      "the canary app on web2, which fails its health probe: status 404";
    const recovery = { ...stopped.recovery, waitsFor };
    expect(say({ recovery }, stopped).text).to.include(
      `automatic retry waits for ${waitsFor}`,
    );
  });

  it("shows who stopped the canary, and that it stays off", () =>
    expect(
      say(
        {
          flag: { ...stopped.flag, by: "operator", reason: "looking into it" },
          recovery: healthy.recovery,
        },
        stopped,
      ).text,
    ).to.equal(
      "Canary stopped 14:03:07 UTC by operator: looking into it · stays off until a person resumes it",
    ));

  it("shows that the canary is latched", () =>
    expect(
      say({ recovery: { ...stopped.recovery, latched: true } }, stopped).text,
    ).to.match(/ · latched until a person resumes it$/));

  it("announces no retry while no monitor leads", () =>
    expect(say({ lease: null }, stopped)).to.deep.equal({
      tone: "stopped",
      text: "Canary stopped 14:03:07 UTC: p95 1,012 ms > 500 ms · no retry while no monitor leads",
    }));

  it("warns when no monitor leads and the canary is closed", () => {
    const because = "no monitor leads: the lease has expired";
    expect(
      say({ lease: null, proxies: [{ ...proxy, canaryOpen: false, because }] }),
    ).to.deep.equal({
      tone: "warning",
      text: "No monitor leads: canary withheld",
    });
  });

  it("warns when no monitor leads and the canary is open", () =>
    expect(say({ lease: null })).to.deep.equal({
      tone: "warning",
      text: "Canary takes 25 % of traffic · no monitor leads: it is not watched",
    }));

  it("warns when no proxy reports", () =>
    expect(say({ proxies: [] })).to.deep.equal({
      tone: "warning",
      text: "Canary is allowed, but no proxy reports",
    }));

  it("warns when some or all proxies withhold the canary", () => {
    const because = "flag is stale: Redis does not answer";
    const closed = { ...proxy, canaryOpen: false, because };
    expect(say({ proxies: [closed] }).text).to.equal(
      `Canary withheld: ${because}`,
    );
    expect(say({ proxies: [proxy, closed] })).to.deep.equal({
      tone: "warning",
      text: `Canary takes 25 % of traffic · withheld by 1 of 2 proxies: ${because}`,
    });
  });

  it("warns of silent proxies and agents, and ignores what they last reported", () => {
    const silent = { ...proxy, id: "proxy@b:8080", seenAt: ago(5001) };
    expect(say({ proxies: [proxy, silent] })).to.deep.equal({
      tone: "warning",
      text: "Canary takes 25 % of traffic · proxy@b:8080 is silent",
    });
    expect(say({ proxies: [silent] })).to.deep.equal({
      tone: "warning",
      text: "Canary is allowed, but no proxy reports",
    });
    const agent = { ...host, seenAt: ago(5001) };
    expect(say({ hosts: [agent] })).to.deep.equal({
      tone: "warning",
      text: "Canary takes 25 % of traffic · agent@web2:3102 is silent",
    });
    expect(say({ hosts: [agent], proxies: [proxy, silent] }).text).to.match(
      / · proxy@b:8080, agent@web2:3102 are silent$/,
    );
    expect(say({ hosts: [agent], silenceMs: 10_000 }).tone).to.equal("good");
  });

  it("warns of an app that is down or unhealthy", () => {
    expect(say({ hosts: [{ ...host, up: false }] }).text).to.match(
      /its app on web2 is gone$/,
    );
    expect(say({ hosts: [{ ...host, probeOk: false }] }).text).to.match(
      /its app on web2 fails its health probe$/,
    );
  });

  it("warns of a verdict that is only observed", () => {
    const verdict = {
      mode: "observe",
      odds: "132 : 1",
      outcome: "worse",
      because: null,
      evidence: 4.9,
      evidenceToStop: 4.6,
      canaryRequestsNeeded: 0,
    };
    expect(say({ verdict }).text).to.match(
      /worse than prod, 132 : 1 \(only observed\)$/,
    );
    expect(
      say({ verdict: { ...verdict, outcome: "split broken" } }).text,
    ).to.match(/no verdict$/);
  });
});

describe("headline parts", () => {
  it("compute the share of a split", () => {
    expect(readShare("3:1")).to.equal(0.25);
    expect(readShare("1:0")).to.equal(0);
    for (const bad of [null, "", "0:0", "3", "a:b"])
      expect(readShare(bad)).to.equal(undefined);
  });

  it("count down in minutes and hours", () => {
    expect([1, 42_000, 725_000, 3_600_000].map(formatCountdown)).to.deep.equal([
      "0:01",
      "0:42",
      "12:05",
      "1:00:00",
    ]);
  });

  it("format a span in its two largest units", () => {
    const hour = 3_600_000;
    expect(
      [-5, 42_000, 12 * 60_000, 3.1 * hour, 52 * hour].map(formatSpan),
    ).to.deep.equal(["0 s", "42 s", "12 min", "3 h 6 min", "2 d 4 h"]);
  });

  it("include the date of another day", () => {
    expect(formatClock(new Date(NOW - 86_400_000), NOW)).to.equal(
      "2026-11-26 14:03:49 UTC",
    );
    expect(formatClock(new Date("soon"), NOW)).to.equal("–");
  });
});
