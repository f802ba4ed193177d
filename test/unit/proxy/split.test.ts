import { expect } from "chai";
import { Split } from "../../../apps/proxy/dealing/split.js";
import {
  parseRatio,
  parseWeight,
  ratioOfWeight,
  readShare,
} from "../../../lib/telemetry/split-ratio.js";
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

  for (const [weight, length, canaryInBlock] of [
    [0.01, 10_000, 1],
    [0.5, 200, 1],
    [2, 50, 1],
    [7.5, 40, 3],
    [12.34, 5000, 617],
    [33.33, 10_000, 3333],
    [99.99, 10_000, 9999],
    [0, 1, 0],
    [100, 1, 1],
  ] as const)
    it(`gives the canary exactly ${weight} % in ${length} picks, and each deck its own share`, () => {
      const split = new Split(ratioOfWeight(weight), createSeededRandom(5));
      for (let block = 0; block < 3; block++) {
        let [inBlock, dealt] = [0, 0];
        while (dealt < length) {
          expect(split.isAtStart).to.equal(true);
          const { prod, canary } = split.deck;
          expect(prod + canary).to.be.within(1, 100);
          const sides = Array.from({ length: prod + canary }, () =>
            split.pick(),
          );
          expect(sides.filter((it) => it === "canary")).to.have.length(canary);
          inBlock += canary;
          dealt += prod + canary;
        }
        expect([dealt, inBlock]).to.deep.equal([length, canaryInBlock]);
      }
    });

  it("gives each deck of a long block the same chance of a canary pick", () => {
    const split = new Split(ratioOfWeight(0.1), createSeededRandom(9));
    const found = Array.from({ length: 4000 }, () => {
      let at = 0;
      for (let pick = 0; pick < 1000; pick++)
        if (split.pick() === "canary") at = Math.floor(pick / 100);
      return String(at);
    });
    expect(chiSquared(found, 10)).to.be.below(CHI_SQUARED_999[9]!);
  });

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

describe("weight of a rollout", () => {
  for (const [text, weight] of [
    ["0", 0],
    ["7.5", 7.5],
    ["0.01", 0.01],
    ["25.00", 25],
    ["100", 100],
  ] as const)
    it(`is ${weight} % for ${text}`, () =>
      expect(parseWeight(text)).to.equal(weight));

  for (const text of [
    ...["", " 5", "5 ", "-1", "+1", "1e1", "100.01", "101", "7.555", ".5"],
    ...["5.", "5%", "NaN", "Infinity", "0x10", "25\n", "9".repeat(1000)],
  ])
    it(`is unknown for ${JSON.stringify(text.slice(0, 12))}`, () =>
      expect(parseWeight(text)).to.equal(undefined));

  it("has a share that a window's split tells exactly", () => {
    for (let hundredths = 0; hundredths <= 10_000; hundredths++) {
      const { prod, canary } = ratioOfWeight(hundredths / 100);
      expect(readShare(`${prod}:${canary}`)).to.equal(canary / (prod + canary));
      expect(canary / (prod + canary)).to.be.closeTo(hundredths / 1e4, 1e-15);
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
