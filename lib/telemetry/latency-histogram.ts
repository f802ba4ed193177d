/** Buckets per octave (doubling) of latency. */
const PER_OCTAVE = 16;
/** log2 of the first bucket's upper edge in ms: 2^-4 = 0.0625 ms. */
const FIRST_OCTAVE = -4;
export const TOP_BUCKET = 320;

/** A histogram on the wire: `[bucket, count]`, ascending buckets, no zero counts. */
export type SparseHistogram = [bucket: number, count: number][];

/**
 * The bucket of a latency in ms: `f` holds (2^((f−1)/16 − 4), 2^(f/16 − 4)].
 *
 * @param finer into how many each bucket is divided
 */
export function bucketOf(latencyMs: number, finer = 1): number {
  if (latencyMs <= 0) return 0;
  const octaves = Math.log2(latencyMs) - FIRST_OCTAVE;
  const bucket = Math.ceil(octaves * PER_OCTAVE * finer);
  return Math.min(TOP_BUCKET * finer, Math.max(0, bucket));
}

/** The upper edge of a bucket in ms. The top bucket has none, so its lower edge is returned. */
export function upperEdgeMs(bucket: number): number {
  return 2 ** (Math.min(bucket, TOP_BUCKET - 1) / PER_OCTAVE + FIRST_OCTAVE);
}

/** Counts latencies in sixteen buckets per octave, each 4.4 % wide. Memory is constant, and merging works in any order. */
export class LatencyHistogram {
  readonly #counts = new Float64Array(TOP_BUCKET + 1);
  #total = 0;

  get total(): number {
    return this.#total;
  }

  record(latencyMs: number): void {
    this.add(bucketOf(latencyMs), 1);
  }

  add(bucket: number, count: number): void {
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count;
    this.#total += count;
  }

  merge(sparse: SparseHistogram): void {
    for (const [bucket, count] of sparse) this.add(bucket, count);
  }

  /**
   * The latency in ms below which the share `q` (0 to 1) of all latencies lies, interpolated inside its bucket; undefined if
   * the histogram is empty.
   */
  quantile(q: number): number | undefined {
    if (this.#total === 0) return undefined;
    const rank = q * this.#total;
    let below = 0;
    for (let bucket = 0; bucket <= TOP_BUCKET; bucket++) {
      const count = this.#counts[bucket] ?? 0;
      if (count > 0 && below + count >= rank) {
        const lower = bucket === 0 ? 0 : upperEdgeMs(bucket - 1);
        return (
          lower +
          (upperEdgeMs(bucket) - lower) * Math.max(0, (rank - below) / count)
        );
      }
      below += count;
    }
    return upperEdgeMs(TOP_BUCKET);
  }

  /**
   * The 95 % confidence interval of a quantile, from the ranks that lie 1.96 standard deviations of a binomial around it;
   * undefined with so few latencies that these go beyond the first or last one.
   */
  interval(q: number): [fromMs: number, toMs: number] | undefined {
    const spread = 1.96 * Math.sqrt((q * (1 - q)) / this.#total);
    const [low, high] = [q - spread, q + spread];
    if (!(low > 0 && high < 1)) return undefined;
    return [this.quantile(low) ?? 0, this.quantile(high) ?? 0];
  }

  /** How many latencies are in buckets above that of `ms`. */
  countAbove(ms: number): number {
    const counts = this.#counts.subarray(bucketOf(ms) + 1);
    return counts.reduce((sum, count) => sum + count, 0);
  }

  toSparse(): SparseHistogram {
    const sparse: SparseHistogram = [];
    this.#counts.forEach((count, bucket) => {
      if (count > 0) sparse.push([bucket, count]);
    });
    return sparse;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
  }
}

/** The first octave worth reporting, and the last one below the open top bucket. */
const OCTAVES_MS = { first: 2 ** -2, last: 2 ** 15 };

/**
 * Cumulative counts of the latencies up to 0.25 ms, 0.5 ms and so on, and the sum of all latencies. The counts are exact,
 * because octaves end at bucket edges. The sum uses the middle of each bucket and may be off by 2.2 %; it counts the top
 * bucket with its lower edge, 63 s.
 */
export function summariseLatency(latency: LatencyHistogram): {
  octaves: { upToMs: number; count: number }[];
  sumMs: number;
} {
  const sparse = latency.toSparse();
  const octaves: { upToMs: number; count: number }[] = [];
  for (let ms = OCTAVES_MS.first; ms <= OCTAVES_MS.last; ms *= 2) {
    const last = bucketOf(ms);
    const count = sparse.reduce((n, [f, c]) => (f <= last ? n + c : n), 0);
    octaves.push({ upToMs: ms, count });
  }
  const sumMs = sparse.reduce((sum, [f, c]) => sum + c * middleMs(f), 0);
  return { octaves, sumMs };
}

function middleMs(bucket: number): number {
  const lower = bucket === 0 ? 0 : upperEdgeMs(bucket - 1);
  return (lower + upperEdgeMs(bucket)) / 2;
}
