import { expect } from "chai";
import {
  compareMs,
  formatBytes,
  formatMs,
  formatNumber,
  formatOdds,
  formatQuantile,
  formatRate,
  formatRatio,
  parseDuration,
} from "../../../lib/wording/units.js";

describe("parseDuration", () => {
  for (const [text, ms] of [
    ["500ms", 500],
    ["1.5s", 1500],
    ["2m", 120_000],
    ["1h", 3_600_000],
    ["7d", 604_800_000],
  ] as const)
    it(`reads ${text}`, () => expect(parseDuration(text)).to.equal(ms));

  for (const text of ["", "5", "s", "-1s", "1.s", "1 s", "1w", "1e3s"])
    it(`refuses ${JSON.stringify(text)}`, () =>
      expect(parseDuration(text)).to.equal(undefined));
});

describe("units", () => {
  for (const [ms, text] of [
    [0, "0 ms"],
    [0.042, "0.042 ms"],
    [0.4, "0.4 ms"],
    [4.12, "4.1 ms"],
    [9.97, "10 ms"],
    [12.4, "12 ms"],
    [1021.4, "1,021 ms"],
    [10_000, "10 s"],
    [12_345, "12.3 s"],
    [60_000, "60 s"],
    [600_000, "10 min"],
    [3_600_000, "60 min"],
    [null, "–"],
    [undefined, "–"],
  ] as const)
    it(`writes ${ms} ms as ${text}`, () => {
      expect(formatMs(ms)).to.equal(text);
    });

  for (const [ms, text] of [
    [1021.4, "1,021 ms > 500 ms"],
    [500.3, "500.3 ms > 500 ms"],
    [9.8, "9.8 ms ≤ 500 ms"],
    [500, "500 ms ≤ 500 ms"],
    [12_345, "12,345 ms > 500 ms"],
  ] as const)
    it(`compares ${ms} ms with 500 ms as ${text}`, () => {
      expect(compareMs(ms, 500)).to.equal(text);
    });

  it("formats other figures with their units", () => {
    expect(formatNumber(1_234_567)).to.equal("1,234,567");
    expect(formatRatio(0)).to.equal("0 %");
    expect(formatRatio(0.0042)).to.equal("0.42 %");
    expect(formatRatio(0.254)).to.equal("25 %");
    expect(formatRate(12.3)).to.equal("12/s");
    expect(formatBytes(61.2e6)).to.equal("61 MB");
    expect(formatBytes(12e9)).to.equal("12 GB");
    expect([0.5, 0.999, 0.29, 1].map(formatQuantile)).to.deep.equal([
      ...["p50", "p99.9", "p29", "p100"],
    ]);
  });

  it("formats evidence as odds up to a billion", () => {
    expect(formatOdds(Math.log(132))).to.equal("132 : 1");
    expect(formatOdds(-Math.log(8.1))).to.equal("1 : 8.1");
    expect(formatOdds(100)).to.equal("1,000,000,000 : 1");
  });
});
