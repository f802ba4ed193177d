import { COMPONENT_COUNT, type Dictionary } from "./dictionary.js";
import {
  addWinnings,
  createByComponent,
  listOccupied,
  type ByComponent,
  type LatencyCounts,
} from "./latency-evidence.js";

export const BLOCK_MS = 5000;
/** The number of each component's best blocks that do not count. */
const TRIM = 1;

/** The sums of one block, by component, to which each route is added. */
export class Block {
  /** The winnings of the component's bets, as logarithms. */
  readonly winnings: ByComponent = createByComponent();
  /** R = Σ (c − ρn)·ln r, and its variance V under random assignment. */
  readonly deviations: ByComponent = createByComponent();
  readonly variances: ByComponent = createByComponent();

  add(counts: LatencyCounts, dictionary: Dictionary, share: number): void {
    addWinnings(this.winnings, counts, dictionary, share);
    const { buckets, canary, totals } = listOccupied(counts);
    for (let component = 0; component < COMPONENT_COUNT; component++) {
      const logRatio = dictionary.logRatios[component] ?? [];
      let deviation = 0;
      let variance = 0;
      for (let i = 0; i < buckets.length; i++) {
        const log = logRatio[buckets[i] ?? 0] ?? 0;
        const total = totals[i] ?? 0;
        deviation += ((canary[i] ?? 0) - share * total) * log;
        variance += share * (1 - share) * total * log * log;
      }
      add(this.deviations, component, deviation);
      add(this.variances, component, variance);
    }
  }
}

/** The guard's sums, of a size that does not depend on the blocks. Each list has a value for each component. */
export interface GuardSums {
  blocks: number;
  /** The largest positive winnings of one block, largest first; TRIM lists. */
  largest: ByComponent[];
  /** Σ R²/V over the blocks. */
  scatter: ByComponent;
  deviations: ByComponent;
  variances: ByComponent;
}

export function createGuardSums(trim = TRIM): GuardSums {
  return {
    blocks: 0,
    largest: Array.from({ length: trim }, createByComponent),
    scatter: createByComponent(),
    deviations: createByComponent(),
    variances: createByComponent(),
  };
}

/** The sums including another block. */
export function withBlock(sums: GuardSums, block: Block): GuardSums {
  const after: GuardSums = {
    blocks: sums.blocks + 1,
    largest: sums.largest.map((list) => list.slice()),
    scatter: sums.scatter.slice(),
    deviations: sums.deviations.slice(),
    variances: sums.variances.slice(),
  };
  for (let component = 0; component < COMPONENT_COUNT; component++) {
    let won = Math.max(0, block.winnings[component] ?? 0);
    for (const list of after.largest) {
      const kept = list[component] ?? 0;
      list[component] = Math.max(kept, won);
      won = Math.min(kept, won);
    }
    const deviation = block.deviations[component] ?? 0;
    const variance = block.variances[component] ?? 0;
    if (variance > 0) add(after.scatter, component, deviation ** 2 / variance);
    add(after.deviations, component, deviation);
    add(after.variances, component, variance);
  }
  return after;
}

/**
 * The components' winnings without their best blocks, divided by the blocks' dispersion beyond random assignment (the
 * quasi-likelihood's: McCullagh & Nelder, "Generalized Linear Models", 2nd ed., section 4.5). A burst slows down both
 * sides, and the canary may have more of its requests by chance. It weighs little here, and one block alone never stops
 * the canary.
 */
export function guard(components: ByComponent, sums: GuardSums): ByComponent {
  return components.map((value, component) => {
    const trimmed = sums.largest.reduce(
      (sum, list) => sum + (list[component] ?? 0),
      0,
    );
    return (value - trimmed) / dispersion(sums, component);
  });
}

function dispersion(sums: GuardSums, component: number): number {
  const variance = sums.variances[component] ?? 0;
  if (sums.blocks < 2 || variance === 0) return 1;
  const between =
    (sums.scatter[component] ?? 0) -
    (sums.deviations[component] ?? 0) ** 2 / variance;
  return Math.max(1, between / (sums.blocks - 1));
}

function add(list: ByComponent, component: number, value: number): void {
  list[component] = (list[component] ?? 0) + value;
}
