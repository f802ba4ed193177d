import {
  bucketOf,
  upperEdgeMs,
} from "../../../../lib/telemetry/latency-histogram.js";
import { FINER, TOP_DECK_BUCKET } from "../../../../lib/telemetry/decks.js";

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
 * The bucket of a canary's latency in each of a deck's buckets. It is taken as the lower edge of the deck's bucket, so the
 * test is conservative by at most 1/64 of an octave.
 *
 * @param hostFactor how many times slower the canary's hosts are with the same version
 */
export function createCanaryBuckets(
  tolerance: Tolerance,
  hostFactor = 1,
): Uint16Array {
  return Uint16Array.from({ length: TOP_DECK_BUCKET + 1 }, (_, fine) => {
    if (fine === 0) return 0;
    // The bucket just above a latency: what is slower by a hair.
    const ms = lowerEdgeMs(fine) / hostFactor;
    const above = deflate(ms, tolerance) * (1 + 1e-12);
    return bucketOf(above);
  });
}

/** Of a deck's bucket, in ms. */
function lowerEdgeMs(fine: number): number {
  return upperEdgeMs(0) * 2 ** ((fine - 1) / (16 * FINER));
}

/** What is tolerated where prod takes `medianMs`: half of it at most, so that a service below 10 ms is judged too. */
export function toleranceAt(
  { ratio, ms }: Tolerance,
  medianMs: number,
): Tolerance {
  return { ratio, ms: Math.min(ms, medianMs / 2) };
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
