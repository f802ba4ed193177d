import { expect } from "chai";
import { Split } from "../../../apps/proxy/dealing/split.js";
import { parseRatio } from "../../../lib/telemetry/split-ratio.js";
import { createSeededRandom } from "../../support/seeded-random.js";

/** The 99.9 % quantiles of the chi-squared distribution, by degrees of freedom. */
const CHI_SQUARED_999: Record<number, number> = {
  3: 16.27,
  5: 20.52,
  9: 27.88,
};

/** Draws `blocks` blocks, each as text: `PPCP` has the canary in third place. */
function drawBlocks(ratioText: string, blocks: number, seed: number): string[] {
  const ratio = parseRatio(ratioText)!;
  const split = new Split(ratio, createSeededRandom(seed));
  const length = ratio.prod + ratio.canary;
  return Array.from({ length: blocks }, () =>
    Array.from({ length }, () => (split.pick() === "canary" ? "C" : "P")).join(
      "",
    ),
  );
}

/** Pearson's statistic for `outcomes` against `kinds` equally likely kinds. */
function chiSquared(outcomes: readonly string[], kinds: number): number {
  const counts = new Map<string, number>();
  for (const outcome of outcomes)
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  expect(counts.size).to.equal(kinds);
  const expected = outcomes.length / kinds;
  return [...counts.values()]
    .map((count) => (count - expected) ** 2 / expected)
    .reduce((sum, term) => sum + term, 0);
}

describe("proxy split", () => {
  for (const [ratio, canaryInBlock, length] of [
    ["3:1", 1, 4],
    ["9:1", 1, 10],
    ["2:2", 2, 4],
    ["3:2", 2, 5],
    ["1:0", 0, 1],
    ["0:1", 1, 1],
  ] as const) {
    it(`gives the canary exactly its share of every block at ${ratio}`, () => {
      for (const block of drawBlocks(ratio, 500, 1)) {
        expect(block).to.have.length(length);
        expect(block.split("C")).to.have.length(canaryInBlock + 1);
      }
    });
  }

  for (const [ratio, kinds] of [
    ["3:1", 4],
    ["9:1", 10],
    ["2:2", 4],
    ["3:2", 10],
  ] as const) {
    it(`finds each arrangement of a block equally likely at ${ratio}`, () => {
      const statistic = chiSquared(drawBlocks(ratio, 12_000, 7), kinds);
      expect(statistic).to.be.below(CHI_SQUARED_999[kinds - 1]!);
    });
  }

  it("deals 50:50 in decks of two", () => {
    const pairs = drawBlocks("50:50", 20, 1).join("").match(/../g)!;
    expect(pairs).to.have.length(1000);
    for (const pair of pairs) expect(pair).to.be.oneOf(["CP", "PC"]);
  });

  it("deals differently in each thread", () => {
    const draw = () => {
      const split = new Split({ prod: 3, canary: 1 });
      return Array.from({ length: 400 }, () => split.pick()).join("");
    };
    expect(draw()).not.to.equal(draw());
  });

  it("places the canary in each block independently of the block before", () => {
    const blocks = drawBlocks("3:1", 16_001, 3);
    const repeats = blocks.filter((block, i) => block === blocks[i - 1]).length;
    // A quarter of 16,000, within 4 standard deviations (55 each).
    expect(repeats).to.be.within(3780, 4220);
  });

  it("keeps the share at the extremes of the random source", () => {
    for (const value of [0, 1 - 2 ** -53]) {
      const split = new Split({ prod: 3, canary: 1 }, () => value);
      const sides = Array.from({ length: 400 }, () => split.pick());
      expect(sides.filter((side) => side === "canary")).to.have.length(100);
    }
  });
});

describe("proxy split setting", () => {
  for (const [text, ratio] of [
    ["3:1", { prod: 3, canary: 1 }],
    ["1:0", { prod: 1, canary: 0 }],
    ["0:1", { prod: 0, canary: 1 }],
    ["1000:1000", { prod: 1000, canary: 1000 }],
    ["03:01", { prod: 3, canary: 1 }],
  ] as const) {
    it(`reads ${text}`, () => expect(parseRatio(text)).to.deep.equal(ratio));
  }

  for (const text of [
    "",
    "3",
    "3:",
    ":1",
    "0:0",
    "3:1:1",
    "-3:1",
    "+3:1",
    "3.5:1",
    "1e3:1",
    "1001:1",
    "1:1001",
    "12345:1",
    " 3:1",
    "3:1\n",
    "3/1",
    "drei:eins",
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () =>
      expect(parseRatio(text)).to.equal(undefined));
  }
});
