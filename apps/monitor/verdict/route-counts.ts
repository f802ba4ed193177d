import { z } from "zod";
import {
  TOP_BUCKET,
  type SparseHistogram,
} from "../../../lib/latency-histogram.js";
import { SIDES, type Side } from "../../../lib/telemetry.js";
import { BUCKETS, bucketOfFine, type BucketCounts } from "./buckets.js";
import { createDictionary, type Dictionary } from "./dictionary.js";
import { createLatencyCounts, type LatencyCounts } from "./latency-evidence.js";
import { addSparse, fromSparse, sparseSchema, toSparse } from "./sparse.js";

const FINE_BUCKETS = TOP_BUCKET + 1;

const fineSides = z.object({
  prod: sparseSchema(FINE_BUCKETS),
  canary: sparseSchema(FINE_BUCKETS),
});
export const storedRoute = z.object({
  warmUp: sparseSchema(BUCKETS),
  /** By the canary's share. */
  counts: z.array(z.tuple([z.number().gt(0).lt(1), fineSides])),
});
export type StoredRoute = z.infer<typeof storedRoute>;

/** What one route's requests were counted as while the split was the same. */
interface Cell {
  /** In the telemetry's buckets, as measured. */
  fine: Record<Side, Float64Array>;
  /** In the verdict's buckets, the canary's deflated. */
  coarse: LatencyCounts;
}

/** A route in a test: prod's latencies before it, and both sides' since. */
export class RouteCounts {
  readonly dictionary: Dictionary;
  readonly #warmUp: BucketCounts;
  readonly #canaryBuckets: Uint8Array;
  readonly #cells = new Map<number, Cell>();

  /** @param canaryBuckets see createCanaryBuckets */
  constructor(warmUp: BucketCounts, canaryBuckets: Uint8Array) {
    this.#warmUp = warmUp;
    this.#canaryBuckets = canaryBuckets;
    this.dictionary = createDictionary(warmUp);
  }

  add(share: number, side: Side, latency: SparseHistogram): void {
    const { fine, coarse } = this.#cellOf(share);
    addSparse(fine[side], latency);
    this.addCoarse(coarse, side, latency);
  }

  /** Counts them in the verdict's buckets. */
  addCoarse(counts: LatencyCounts, side: Side, latency: SparseHistogram): void {
    const list = counts[side];
    for (const [fine, count] of latency) {
      const bucket =
        side === "canary"
          ? (this.#canaryBuckets[fine] ?? 0)
          : bucketOfFine(fine);
      list[bucket] = (list[bucket] ?? 0) + count;
    }
  }

  /** By the canary's share. */
  *byShare(): Iterable<[share: number, counts: LatencyCounts]> {
    for (const [share, { coarse }] of this.#cells) yield [share, coarse];
  }

  /** All of a side's requests as measured, in the telemetry's buckets. */
  measured(side: Side): SparseHistogram {
    const sum = new Float64Array(FINE_BUCKETS);
    for (const { fine } of this.#cells.values())
      fine[side].forEach((count, i) => (sum[i] = (sum[i] ?? 0) + count));
    return toSparse(sum);
  }

  toStored(): StoredRoute {
    return {
      warmUp: toSparse(this.#warmUp),
      counts: [...this.#cells].map(([share, { fine }]) => [
        share,
        { prod: toSparse(fine.prod), canary: toSparse(fine.canary) },
      ]),
    };
  }

  static restore(stored: StoredRoute, canaryBuckets: Uint8Array): RouteCounts {
    const route = new RouteCounts(
      fromSparse(stored.warmUp, BUCKETS),
      canaryBuckets,
    );
    for (const [share, sides] of stored.counts)
      for (const side of SIDES) route.add(share, side, sides[side]);
    return route;
  }

  #cellOf(share: number): Cell {
    const known = this.#cells.get(share);
    if (known !== undefined) return known;
    const cell: Cell = {
      fine: {
        prod: new Float64Array(FINE_BUCKETS),
        canary: new Float64Array(FINE_BUCKETS),
      },
      coarse: createLatencyCounts(),
    };
    this.#cells.set(share, cell);
    return cell;
  }
}
