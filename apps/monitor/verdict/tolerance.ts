import {
  TOP_BUCKET,
  upperEdgeMs,
} from "../../../lib/telemetry/latency-histogram.js";
import { BUCKETS, bucketOfFine, edgeMs } from "./evidence/buckets.js";

/** How much slower a canary may be without counting as slower: by `ratio` or by `ms`, whichever is more. */
export interface Tolerance {
  /** 0.1 is 10 %. */
  ratio: number;
  ms: number;
}

/** A canary's latency in ms without the tolerance: `max(0, min(y/(1+ratio), y−ms))`. */
export function deflate(latencyMs: number, { ratio, ms }: Tolerance): number {
  return Math.max(0, Math.min(latencyMs / (1 + ratio), latencyMs - ms));
}

/**
 * The verdict's bucket for a canary request in each of the telemetry's buckets. Its latency is taken as the lower edge of
 * the telemetry's bucket, so the test is conservative by at most a sixteenth of an octave.
 */
export function createCanaryBuckets(tolerance: Tolerance): Uint8Array {
  const buckets = new Uint8Array(TOP_BUCKET + 1);
  const isExact = tolerance.ratio === 0 && tolerance.ms === 0;
  for (let fine = 1; fine <= TOP_BUCKET; fine++)
    buckets[fine] = isExact
      ? bucketOfFine(fine)
      : bucketAbove(deflate(upperEdgeMs(fine - 1), tolerance));
  return buckets;
}

/** The bucket of a latency just above `ms`. */
function bucketAbove(ms: number): number {
  let bucket = 0;
  while (bucket < BUCKETS - 1 && edgeMs(bucket) <= ms) bucket += 1;
  return bucket;
}

/** Parses `10%+5ms`; undefined for other text, or more than 1000 % or an hour. */
export function parseTolerance(text: string): Tolerance | undefined {
  const [, percent, ms] =
    /^(\d{1,4}(?:\.\d{1,3})?)%\+(\d{1,7}(?:\.\d{1,3})?)ms$/.exec(text) ?? [];
  if (percent === undefined || ms === undefined) return undefined;
  const tolerance = { ratio: Number(percent) / 100, ms: Number(ms) };
  return tolerance.ratio <= 10 && tolerance.ms <= 3_600_000
    ? tolerance
    : undefined;
}
