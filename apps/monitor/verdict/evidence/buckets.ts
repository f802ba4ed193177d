import { TOP_BUCKET } from "../../../../lib/telemetry/latency-histogram.js";

/**
 * The verdict's buckets are quarters of an octave: bucket k holds latencies in (2^((k−1)/4), 2^(k/4)] ms, bucket 0 all up
 * to 1 ms, the last one all above 2^(62/4) ms. One has four of the telemetry's buckets.
 */
export const BUCKETS = 64;
const PER_OCTAVE = 4;
/** The telemetry's bucket whose upper edge is 1 ms. */
const ONE_MS = 64;
const FINE_PER_BUCKET = 4;

/** Counts by bucket, of length BUCKETS. */
export type BucketCounts = Float64Array;

export function createCounts(): BucketCounts {
  return new Float64Array(BUCKETS);
}

/** The bucket's upper edge in ms. */
export function edgeMs(bucket: number): number {
  return 2 ** (bucket / PER_OCTAVE);
}

/** The bucket that contains this bucket of the telemetry. */
export function bucketOfFine(fine: number): number {
  const bucket = Math.ceil((fine - ONE_MS) / FINE_PER_BUCKET);
  return Math.min(BUCKETS - 1, Math.max(0, bucket));
}

export function isFineBucket(fine: number): boolean {
  return Number.isInteger(fine) && fine >= 0 && fine <= TOP_BUCKET;
}
