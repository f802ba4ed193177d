import { expect } from "chai";
import {
  createBlockRandom,
  philox,
} from "../../../apps/proxy/canary/block-random.js";
import {
  createSharedSplit,
  type Deck,
} from "../../../apps/proxy/canary/split.js";
import { parseRatio } from "../../../lib/telemetry/split-ratio.js";
import { createSeededRandom } from "../../support/seeded-random.js";

function createDeck(seed = 1, picks = 0n): Deck {
  return {
    picks: BigInt64Array.of(picks),
    seed: Uint32Array.of(seed, 0x5eed),
  };
}

/** Deals `picks` picks to `threads` threads in random order, as text: `PPCP` has the canary in third place. */
function deal(options: {
  ratio: string;
  picks: number;
  threads?: number;
  deck?: Deck;
}): string {
  const { ratio, picks, threads = 3, deck = createDeck() } = options;
  const random = createSeededRandom(9);
  const splits = Array.from({ length: threads }, () =>
    createSharedSplit(parseRatio(ratio)!, deck),
  );
  const pick = () => splits[Math.floor(random() * threads)]!();
  return Array.from({ length: picks }, () =>
    pick() === "canary" ? "C" : "P",
  ).join("");
}

function cut(picks: string, length: number): string[] {
  return picks.match(new RegExp(`.{${length}}`, "g")) ?? [];
}

describe("Philox4x32-10", () => {
  // Known answers published by its authors with Random123 (kat_vectors).
  for (const [counter, key, words] of [
    [[0, 0, 0, 0], [0, 0], "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      "408f276d 41c83b0e a20bc7c6 6d5451fd",
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      "d16cfe09 94fdcceb 5001e420 24126ea1",
    ],
  ] as const)
    it(`gives ${words}`, () => {
      const hex = philox(counter, key).map((word) =>
        word.toString(16).padStart(8, "0"),
      );
      expect(hex.join(" ")).to.equal(words);
    });
});

describe("proxy block random", () => {
  const draw = (seed: number, block: number, count = 12) => {
    const random = createBlockRandom(Uint32Array.of(seed, 2), block);
    return Array.from({ length: count }, random);
  };

  it("depends on seed and block only", () => {
    expect(draw(1, 7)).to.deep.equal(draw(1, 7));
    expect(draw(1, 7)).not.to.deep.equal(draw(1, 8));
    expect(draw(1, 7)).not.to.deep.equal(draw(2, 7));
    expect(draw(1, 7)).not.to.deep.equal(draw(1, 7 + 2 ** 32));
  });

  it("continues after the four words of one counter", () => {
    expect(new Set(draw(1, 7, 1000)).size).to.equal(1000);
  });

  it("stays in [0, 1), half of it below a half", () => {
    const drawn = draw(3, 0, 10_000);
    expect(drawn.every((it) => it >= 0 && it < 1)).to.equal(true);
    const low = drawn.filter((it) => it < 0.5).length;
    // Within four standard deviations (50 each).
    expect(low).to.be.within(4800, 5200);
  });
});

describe("proxy shared split", () => {
  for (const [ratio, canaryInBlock, length] of [
    ["3:1", 1, 4],
    ["9:1", 1, 10],
    ["2:2", 2, 4],
    ["1:0", 0, 1],
    ["0:1", 1, 1],
  ] as const)
    it(`gives the canary exactly its share of every block at ${ratio}, whichever thread picks`, () => {
      const blocks = cut(deal({ ratio, picks: 600 * length }), length);
      expect(blocks).to.have.length(600);
      for (const block of blocks)
        expect(block.split("C")).to.have.length(canaryInBlock + 1);
    });

  it("deals the same to one thread as to many", () => {
    const one = deal({ ratio: "3:1", picks: 4000, threads: 1 });
    expect(deal({ ratio: "3:1", picks: 4000, threads: 8 })).to.equal(one);
  });

  it("finds each place of a block equally likely", () => {
    const counts = new Map<string, number>();
    for (const block of cut(deal({ ratio: "3:1", picks: 48_000 }), 4))
      counts.set(block, (counts.get(block) ?? 0) + 1);
    expect(counts.size).to.equal(4);
    const statistic = [...counts.values()]
      .map((count) => (count - 3000) ** 2 / 3000)
      .reduce((sum, term) => sum + term, 0);
    // The 99.9 % quantile of the chi-squared distribution with three degrees of freedom.
    expect(statistic).to.be.below(16.27);
  });

  it("places the canary in each block independently of the blocks before", () => {
    const blocks = cut(deal({ ratio: "3:1", picks: 64_000 }), 4);
    for (const lag of [1, 2, 3, 4, 8, 64]) {
      const repeats = blocks.filter((it, i) => it === blocks[i - lag]).length;
      // A quarter of 16,000, within four standard deviations (55 each).
      expect(repeats, `lag ${lag}`).to.be.within(3780, 4220);
    }
  });

  it("deals differently for another seed", () => {
    const first = cut(deal({ ratio: "3:1", picks: 4000 }), 4);
    const other = deal({ ratio: "3:1", picks: 4000, deck: createDeck(2) });
    const same = cut(other, 4).filter((block, i) => block === first[i]).length;
    // A quarter of 1,000, within four standard deviations (14 each).
    expect(same).to.be.within(195, 305);
  });

  it("stays exact past 2^32 picks", () => {
    const deck = createDeck(1, 2n ** 32n - 400n);
    const blocks = cut(deal({ ratio: "4:1", picks: 800, deck }).slice(4), 5);
    // 2^32 − 400 is one past a multiple of five: four picks finish its block.
    for (const block of blocks) expect(block.split("C")).to.have.length(2);
  });
});
