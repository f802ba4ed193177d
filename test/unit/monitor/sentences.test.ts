import { expect } from "chai";
import { describeEnd } from "../../../apps/monitor/alert/alerts.js";
import { describeLatency } from "../../../apps/monitor/control/judge-latency.js";

const FIGURES = {
  quantile: 0.95,
  ...{ p50Ms: 4, p95Ms: 1012, p99Ms: 1020 },
  latencyMs: 1012.3,
  thresholdMs: 500,
  windowMs: 10_000,
  requests: 7,
  slow: 7,
  waiting: 0,
};

describe("sentences", () => {
  it("state a side's latency with its figures", () => {
    expect(describeLatency("canary", FIGURES)).to.equal(
      "canary p95 1,012 ms > 500 ms over 10 s (7 requests)",
    );
  });

  for (const [id, sentence] of [
    ["silence:agent@a:3101", "agent@a:3101 is no longer silent"],
    ["gone:agent@a:3101", "the app of agent@a:3101 is no longer gone"],
    [
      "probe:agent@a:3101",
      "the app of agent@a:3101 no longer fails its health probe",
    ],
    ["cpu:agent@a:3101", "the app of agent@a:3101 no longer keeps a core busy"],
    [
      "memory:agent@a:3101",
      "the memory of the app of agent@a:3101 is near prod's again",
    ],
    ["flag-value", "the flag holds true or false again"],
    ["latency:prod", "prod is no longer slow"],
    ["verdict:split", "the split matches its ratio again"],
    ["verdict:worse", "the canary no longer looks worse than prod"],
    ["of-a-later-version:x", "over: of-a-later-version:x"],
  ] as const) {
    it(`state the end of ${id}`, () => {
      expect(describeEnd(id)).to.equal(sentence);
    });
  }

  it("state the number of waiting requests", () => {
    expect(describeLatency("prod", { ...FIGURES, waiting: 2 })).to.equal(
      "prod p95 1,012 ms > 500 ms over 10 s (7 requests, 2 of them still waiting)",
    );
  });

  for (const [quantile, name] of [
    [0.5, "p50"],
    [0.999, "p99.9"],
    [0.29, "p29"],
    [1, "p100"],
  ] as const) {
    it(`call the quantile ${quantile} ${name}`, () => {
      expect(describeLatency("canary", { ...FIGURES, quantile })).to.match(
        RegExp(`^canary ${name} `),
      );
    });
  }

  it("do not show a latency above its threshold when it is not", () => {
    expect(describeLatency("canary", { ...FIGURES, latencyMs: 9.8 })).to.equal(
      "canary p95 9.8 ms ≤ 500 ms over 10 s (7 requests)",
    );
  });

  it("do not compare two latencies that round to the same digits", () => {
    const figures = { ...FIGURES, latencyMs: 500.3 };
    expect(describeLatency("canary", figures)).to.equal(
      "canary p95 500.3 ms > 500 ms over 10 s (7 requests)",
    );
  });
});
