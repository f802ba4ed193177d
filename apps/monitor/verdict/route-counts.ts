import * as z from "zod";
import {
  TOP_BUCKET,
  type SparseHistogram,
} from "../../../lib/telemetry/latency-histogram.js";
import { SIDES, type Side } from "../../../lib/telemetry/telemetry.js";
import { bucketOfFine, type BucketCounts } from "./evidence/buckets.js";
import { createDictionary, type Dictionary } from "./evidence/dictionary.js";
import {
  createLatencyCounts,
  type LatencyCounts,
} from "./evidence/latency-evidence.js";
import { addSparse, sparseSchema, toSparse } from "./sparse.js";

const FINE_BUCKETS = TOP_BUCKET + 1;

const fineSides = z.object({
  prod: sparseSchema(FINE_BUCKETS),
  canary: sparseSchema(FINE_BUCKETS),
});
/** By the canary's share. */
export const storedRoute = z.array(
  z.tuple([z.number().gt(0).lt(1), fineSides]),
);
export type StoredRoute = z.infer<typeof storedRoute>;

/** The counts of one route while the split was the same. */
interface Cell {
  /** In the telemetry's buckets, as measured. */
  fine: Record<Side, Float64Array>;
  /** In the verdict's buckets, the canary's deflated. */
  coarse: LatencyCounts;
}

/** A route in a test: prod's earlier latencies, and both sides' since the start. */
export class RouteCounts {
  readonly warmUp: BucketCounts;
  readonly dictionary: Dictionary;
  readonly #canaryBuckets: Uint8Array;
  readonly #cells = new Map<number, Cell>();

  /** @param canaryBuckets see createCanaryBuckets */
  constructor(
    warmUp: BucketCounts,
    canaryBuckets: Uint8Array,
    dictionary = createDictionary(warmUp),
  ) {
    this.warmUp = warmUp;
    this.dictionary = dictionary;
    this.#canaryBuckets = canaryBuckets;
  }

  /** The same route without requests. */
  startAgain(): RouteCounts {
    return new RouteCounts(this.warmUp, this.#canaryBuckets, this.dictionary);
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
    return [...this.#cells].map(([share, { fine }]) => [
      share,
      { prod: toSparse(fine.prod), canary: toSparse(fine.canary) },
    ]);
  }

  addStored(stored: StoredRoute): void {
    for (const [share, sides] of stored)
      for (const side of SIDES) this.add(share, side, sides[side]);
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
