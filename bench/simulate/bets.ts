import {
  BUCKETS,
  bucketOfFine,
  type BucketCounts,
} from "../../apps/monitor/verdict/evidence/buckets.js";
import {
  Block,
  createGuardSums,
  guard,
  withBlock,
  type GuardSums,
} from "../../apps/monitor/verdict/evidence/burst-guard.js";
import {
  createDictionary,
  type Dictionary,
} from "../../apps/monitor/verdict/evidence/dictionary.js";
import { errorEvidence } from "../../apps/monitor/verdict/evidence/error-evidence.js";
import {
  addWinnings,
  createByComponent,
  createLatencyCounts,
  mix,
  smallerOf,
  type ByComponent,
  type LatencyCounts,
} from "../../apps/monitor/verdict/evidence/latency-evidence.js";
import { correctedShare } from "../../apps/monitor/verdict/evidence/share-check.js";
import {
  LIVE_RESTARTS,
  mixStarts,
  RESTART_CANARY_REQUESTS,
  RESTART_MS,
} from "../../apps/monitor/verdict/starts.js";
import {
  createCanaryBuckets,
  type Tolerance,
} from "../../apps/monitor/verdict/tolerance.js";
import { totalEvidence } from "../../apps/monitor/verdict/evidence/total.js";
import type { Side } from "../../lib/telemetry/telemetry.js";

type BySide = Record<Side, number>;

/** The evidence of the closed blocks since one start. */
interface Bet {
  start: number;
  startedAtMs: number;
  sums: ByComponent;
  counts: LatencyCounts;
  errors: BySide;
  guard: GuardSums;
}

export interface Weights {
  raw: number;
  guarded: number;
  /** Guarded, and with the errors. */
  total: number;
}

/** One route's verdict, request by request; skips computations that cannot matter. */
export class Bets {
  readonly #dictionary: Dictionary;
  readonly #share: number;
  readonly #canaryBuckets: Uint8Array;
  readonly #winnings: Record<Side, ByComponent[]>;
  #bets: [Bet, ...Bet[]] = [createBet(0, 0)];
  #begun = 0;
  /** The open block. */
  #sums = createByComponent();
  #block = createLatencyCounts();
  #errors: BySide = { prod: 0, canary: 0 };

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
  add(side: Side, fine: number, isError: boolean): void {
    const bucket =
      side === "canary" ? this.#canaryBuckets[fine]! : bucketOfFine(fine);
    this.#block[side][bucket]! += 1;
    if (isError) this.#errors[side] += 1;
    const winnings = this.#winnings[side][bucket]!;
    for (let i = 0; i < winnings.length; i++) this.#sums[i]! += winnings[i]!;
  }

  /** @param atMs since the test began */
  endBlock(atMs: number): void {
    const sum = this.#sumBlock();
    for (const bet of this.#bets) {
      bet.guard = withBlock(bet.guard, sum);
      this.#sums.forEach((value, i) => (bet.sums[i]! += value));
      for (const side of ["prod", "canary"] as const) {
        addCounts(bet.counts[side], this.#block[side]);
        bet.errors[side] += this.#errors[side];
      }
    }
    this.#sums = createByComponent();
    this.#block = createLatencyCounts();
    this.#errors = { prod: 0, canary: 0 };
    this.#restartWhenDue(atMs);
  }

  /** An upper bound of the raw evidence: a mixture never exceeds its best component, nor its best start. */
  rawBound(): number {
    let best = 0;
    for (const { sums } of this.#bets)
      for (let i = 0; i < sums.length; i++)
        best = Math.max(best, sums[i]! + this.#sums[i]!);
    return best;
  }

  /** An upper bound by the configured share; the smaller bound counts. */
  configuredRaw(): number {
    const bets = this.#bets.map(({ start, sums }) => ({
      start,
      evidence: mix(sums.map((value, i) => value + this.#sums[i]!)),
    }));
    return mixStarts(bets, this.#begun);
  }

  /** An upper bound of the guarded evidence: dispersion only moves a component towards 0. */
  guardedBound(): number {
    let best = 0;
    for (const { sums, guard: guarded } of this.#bets)
      for (let i = 0; i < sums.length; i++) {
        const open = this.#sums[i]!;
        const trimmed = Math.max(guarded.largest[0]![i]!, open);
        best = Math.max(best, sums[i]! + open - trimmed);
      }
    return best;
  }

  /** An upper bound of the errors' evidence. */
  errorBound(): number {
    return Math.max(0, ...this.#bets.map((bet) => this.#weighErrors(bet)));
  }

  weigh(): Weights {
    const open = this.#sumBlock();
    const bets = this.#bets.map((bet) => ({
      start: bet.start,
      ...this.#weighBet(bet, open),
    }));
    const mixed = (part: keyof Weights) =>
      mixStarts(
        bets.map((bet) => ({ start: bet.start, evidence: bet[part] })),
        this.#begun,
      );
    return {
      raw: mixed("raw"),
      guarded: mixed("guarded"),
      total: mixed("total"),
    };
  }

  #weighBet(bet: Bet, open: Block): Weights {
    const counts = createLatencyCounts();
    for (const side of ["prod", "canary"] as const) {
      addCounts(counts[side], bet.counts[side]);
      addCounts(counts[side], this.#block[side]);
    }
    const share = correctedShare({
      share: this.#share,
      canary: sumOf(counts.canary),
      prod: sumOf(counts.prod),
    });
    const seen = createByComponent();
    addWinnings(seen, counts, this.#dictionary, share);
    const configured = bet.sums.map((value, i) => value + this.#sums[i]!);
    const components = smallerOf(configured, seen);
    const raw = mix(components);
    const guarded = mix(guard(components, withBlock(bet.guard, open)));
    const smaller = Math.min(raw, guarded);
    const total = totalEvidence(smaller, this.#weighErrors(bet));
    return { raw, guarded: smaller, total };
  }

  #weighErrors({ counts, errors }: Bet): number {
    const both = {
      share: this.#share,
      canaryErrors: errors.canary + this.#errors.canary,
      prodErrors: errors.prod + this.#errors.prod,
    };
    const requests = sumOf(counts.canary) + sumOf(this.#block.canary);
    return errorEvidence([both], requests);
  }

  #restartWhenDue(atMs: number): void {
    const last = this.#bets.at(-1)!;
    if (
      atMs - last.startedAtMs < RESTART_MS ||
      sumOf(last.counts.canary) < RESTART_CANARY_REQUESTS
    )
      return;
    this.#begun += 1;
    const [whole, ...restarts] = this.#bets;
    restarts.push(createBet(this.#begun, atMs));
    this.#bets = [whole, ...restarts.slice(-LIVE_RESTARTS)];
  }

  #sumBlock(): Block {
    const block = new Block();
    block.add(this.#block, this.#dictionary, this.#share);
    return block;
  }

  /** The gain of one request in each bucket. */
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

function createBet(start: number, startedAtMs: number): Bet {
  return {
    start,
    startedAtMs,
    sums: createByComponent(),
    counts: createLatencyCounts(),
    errors: { prod: 0, canary: 0 },
    guard: createGuardSums(),
  };
}

function addCounts(counts: BucketCounts, more: BucketCounts): void {
  more.forEach((count, bucket) => (counts[bucket]! += count));
}

function sumOf(counts: BucketCounts): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
