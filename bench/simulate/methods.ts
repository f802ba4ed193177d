import { bucketOfFine } from "../../apps/monitor/verdict/buckets.js";
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
} from "../../apps/monitor/verdict/latency-evidence.js";
import { correctedShare } from "../../apps/monitor/verdict/share-check.js";
import { evidenceToStop } from "../../apps/monitor/verdict/total.js";
import { TOP_BUCKET, LatencyHistogram } from "../../lib/latency-histogram.js";
import type { Side } from "../../lib/telemetry.js";

export const METHODS = [
  "p95 threshold per minute",
  "Mann-Whitney 98 % once",
  "Mann-Whitney 98 % each minute",
  "uniform band (DKW)",
  "this, raw",
  "this, guarded",
] as const;
export type Method = (typeof METHODS)[number];

const SHARE = 0.25;
const ALPHA = 0.01;
const BLOCK_SECONDS = 5;
const P95_RATIO = 1.25;
/** Φ⁻¹(0.98) */
const Z_98 = 2.0537;

type Counts = Record<Side, Float64Array>;

function createFine(): Counts {
  const create = () => new Float64Array(TOP_BUCKET + 1);
  return { prod: create(), canary: create() };
}

/** Each method's view of one release; `fine` are a second's requests in the telemetry's buckets. */
export class Methods {
  /** When each stopped the canary, in its requests since the test began. */
  readonly stops = new Map<Method, number>();
  readonly #seconds: number;
  readonly #all = createFine();
  readonly #own: OwnTest;
  readonly #thresholdMs: number;
  #minute = createFine();
  #second = 0;
  #canary = 0;

  constructor(warmUp: Float64Array, seconds: number) {
    this.#seconds = seconds;
    this.#own = new OwnTest(warmUp);
    this.#thresholdMs = P95_RATIO * quantile(warmUp, 0.95);
  }

  hear(fine: Counts): void {
    this.#second += 1;
    for (const side of ["prod", "canary"] as const)
      fine[side].forEach((count, i) => {
        if (count === 0) return;
        this.#all[side][i]! += count;
        this.#minute[side][i]! += count;
        if (side === "canary") this.#canary += count;
      });
    const { raw, guarded } = this.#own.hear(fine);
    this.#note("this, raw", raw);
    this.#note("this, guarded", guarded);
    this.#note(
      "uniform band (DKW)",
      !this.stops.has("uniform band (DKW)") && exceedsBand(this.#all),
    );
    if (this.#second % 60 === 0) this.#endMinute();
    if (this.#second === this.#seconds)
      this.#note("Mann-Whitney 98 % once", mannWhitney(this.#all) > Z_98);
  }

  #endMinute(): void {
    this.#note(
      "p95 threshold per minute",
      quantile(this.#minute.canary, 0.95) > this.#thresholdMs,
    );
    this.#note("Mann-Whitney 98 % each minute", mannWhitney(this.#all) > Z_98);
    this.#minute = createFine();
  }

  #note(method: Method, stops: boolean): void {
    if (stops && !this.stops.has(method)) this.stops.set(method, this.#canary);
  }
}

/** The verdict's latency evidence, without tolerance; what cannot matter is not computed. */
class OwnTest {
  readonly #dictionary: Dictionary;
  readonly #configured = createByComponent();
  readonly #all = createLatencyCounts();
  readonly #toStop = evidenceToStop(ALPHA);
  #guard: GuardSums = createGuardSums();
  #block = createLatencyCounts();
  #second = 0;

  constructor(warmUp: Float64Array) {
    const coarse = createLatencyCounts();
    warmUp.forEach((count, i) => (coarse.prod[bucketOfFine(i)]! += count));
    this.#dictionary = createDictionary(coarse.prod);
  }

  hear(fine: Counts): { raw: boolean; guarded: boolean } {
    const news = createLatencyCounts();
    for (const side of ["prod", "canary"] as const)
      fine[side].forEach((count, i) => {
        if (count === 0) return;
        const bucket = bucketOfFine(i);
        for (const counts of [news, this.#all, this.#block])
          counts[side][bucket]! += count;
      });
    addWinnings(this.#configured, news, this.#dictionary, SHARE);
    const outcome = this.#judge();
    this.#second += 1;
    if (this.#second % BLOCK_SECONDS === 0) {
      this.#guard = withBlock(this.#guard, this.#sumBlock());
      this.#block = createLatencyCounts();
    }
    return outcome;
  }

  #judge(): { raw: boolean; guarded: boolean } {
    if (mix(this.#configured) < this.#toStop)
      return { raw: false, guarded: false };
    const sum = (counts: Float64Array) => counts.reduce((a, b) => a + b, 0);
    const seen = createByComponent();
    const share = correctedShare({
      share: SHARE,
      canary: sum(this.#all.canary),
      prod: sum(this.#all.prod),
    });
    addWinnings(seen, this.#all, this.#dictionary, share);
    const components = smallerOf(this.#configured, seen);
    const raw = mix(components);
    const sums = withBlock(this.#guard, this.#sumBlock());
    const guarded = Math.min(raw, mix(guard(components, sums)));
    return { raw: raw >= this.#toStop, guarded: guarded >= this.#toStop };
  }

  #sumBlock(): Block {
    const block = new Block();
    block.add(this.#block, this.#dictionary, SHARE);
    return block;
  }
}

/**
 * Half the width of a band about an empirical distribution that holds at all times at once (Howard & Ramdas,
 * "Sequential estimation of quantiles", arXiv 1906.09712, the empirical process's finite iterated-logarithm bound).
 */
export function bandWidth(requests: number, alpha: number): number {
  const iterated = Math.log(Math.log(Math.E * requests));
  return 0.85 * Math.sqrt((iterated + 0.8 * Math.log(1612 / alpha)) / requests);
}

/** Lindon, Sanden & Shirikian (arXiv 2205.14762): the two bands prove the canary slower somewhere. */
function exceedsBand({ prod, canary }: Counts): boolean {
  const totals = [prod, canary].map((c) => c.reduce((a, b) => a + b, 0));
  const [prodTotal = 0, canaryTotal = 0] = totals;
  if (prodTotal === 0 || canaryTotal === 0) return false;
  const width =
    bandWidth(prodTotal, ALPHA / 2) + bandWidth(canaryTotal, ALPHA / 2);
  let prodBelow = 0;
  let canaryBelow = 0;
  for (let i = 0; i <= TOP_BUCKET; i++) {
    prodBelow += prod[i]!;
    canaryBelow += canary[i]!;
    if (prodBelow / prodTotal - canaryBelow / canaryTotal > width) return true;
  }
  return false;
}

/** The standardised rank sum of the canary's latencies, with the ties' correction. */
function mannWhitney({ prod, canary }: Counts): number {
  let u = 0;
  let below = 0;
  let ties = 0;
  let m = 0;
  let n = 0;
  for (let i = 0; i <= TOP_BUCKET; i++) {
    const p = prod[i]!;
    const c = canary[i]!;
    u += c * (below + p / 2);
    below += p;
    m += p;
    n += c;
    ties += (p + c) ** 3 - (p + c);
  }
  const all = m + n;
  const variance =
    ((m * n) / 12) * (all + 1 - ties / (all * Math.max(1, all - 1)));
  return variance > 0 ? (u - (m * n) / 2) / Math.sqrt(variance) : 0;
}

function quantile(fine: Float64Array, q: number): number {
  const histogram = new LatencyHistogram();
  fine.forEach((count, i) => {
    if (count > 0) histogram.add(i, count);
  });
  return histogram.quantile(q) ?? 0;
}
