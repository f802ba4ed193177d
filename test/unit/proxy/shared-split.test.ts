import { expect } from "chai";
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
