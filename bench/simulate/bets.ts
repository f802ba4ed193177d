import {
  BUCKETS,
  bucketOfFine,
  type BucketCounts,
} from "../../apps/monitor/verdict/buckets.js";
import {
  Block,
  createGuardSums,
  guard,
  withBlock,
  type GuardSums,
} from "../../apps/monitor/verdict/burst-guard.js";
import {
  createDictionary,
  type Dictionary,
} from "../../apps/monitor/verdict/dictionary.js";
import {
  addWinnings,
  createByComponent,
  createLatencyCounts,
  mix,
  smallerOf,
  type ByComponent,
} from "../../apps/monitor/verdict/latency-evidence.js";
import { correctedShare } from "../../apps/monitor/verdict/share-check.js";
import {
  createCanaryBuckets,
  type Tolerance,
} from "../../apps/monitor/verdict/tolerance.js";
import type { Side } from "../../lib/telemetry.js";

/** The verdict's latency evidence, request by request; what cannot matter is not computed. */
export class Bets {
  readonly #dictionary: Dictionary;
  readonly #share: number;
  readonly #canaryBuckets: Uint8Array;
  readonly #winnings: Record<Side, ByComponent[]>;
  readonly #sums = createByComponent();
  #sumsBeforeBlock = createByComponent();
  readonly #all = createLatencyCounts();
  #block = createLatencyCounts();
  #guard: GuardSums = createGuardSums();

  constructor(options: {
    warmUp: BucketCounts;
    share: number;
    tolerance: Tolerance;
  }) {
    this.#dictionary = createDictionary(options.warmUp);
    this.#share = options.share;
    this.#canaryBuckets = createCanaryBuckets(options.tolerance);
    this.#winnings = {
      prod: this.#tabulate("prod"),
      canary: this.#tabulate("canary"),
    };
  }

  /** @param fine in the telemetry's buckets */
  add(side: Side, fine: number): void {
    const bucket =
      side === "canary" ? this.#canaryBuckets[fine]! : bucketOfFine(fine);
    this.#all[side][bucket]! += 1;
    this.#block[side][bucket]! += 1;
    const winnings = this.#winnings[side][bucket]!;
    for (let i = 0; i < winnings.length; i++) this.#sums[i]! += winnings[i]!;
  }

  endBlock(): void {
    this.#guard = withBlock(this.#guard, this.#sumBlock());
    this.#block = createLatencyCounts();
    this.#sumsBeforeBlock = this.#sums.slice();
  }

  /** No more than this can the raw evidence be: a mixture never exceeds its best component. */
  rawBound(): number {
    let best = -Infinity;
    for (const sum of this.#sums) best = Math.max(best, sum);
    return best;
  }

  /** Nor the guarded evidence more than this: the dispersion only ever draws a component towards 0. */
  guardedBound(): number {
    let best = 0;
    const largest = this.#guard.largest[0]!;
    for (let i = 0; i < this.#sums.length; i++) {
      const open = this.#sums[i]! - this.#sumsBeforeBlock[i]!;
      best = Math.max(best, this.#sums[i]! - Math.max(largest[i]!, open));
    }
    return best;
  }

  weigh(): { raw: number; guarded: number } {
    const sum = (counts: BucketCounts) => counts.reduce((a, b) => a + b, 0);
    const share = correctedShare({
      share: this.#share,
      canary: sum(this.#all.canary),
      prod: sum(this.#all.prod),
    });
    const seen = createByComponent();
    addWinnings(seen, this.#all, this.#dictionary, share);
    const components = smallerOf(this.#sums, seen);
    const raw = mix(components);
    const sums = withBlock(this.#guard, this.#sumBlock());
    return { raw, guarded: Math.min(raw, mix(guard(components, sums))) };
  }

  #sumBlock(): Block {
    const block = new Block();
    block.add(this.#block, this.#dictionary, this.#share);
    return block;
  }

  /** What one request in each bucket wins. */
  #tabulate(side: Side): ByComponent[] {
    return Array.from({ length: BUCKETS }, (_, bucket) => {
      const one = createLatencyCounts();
      one[side][bucket] = 1;
      const winnings = createByComponent();
      addWinnings(winnings, one, this.#dictionary, this.#share);
      return winnings;
    });
  }
}
