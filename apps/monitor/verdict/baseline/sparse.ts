import * as z from "zod";
import type { SparseHistogram } from "../../../../lib/telemetry/latency-histogram.js";

/** The stored form of a list of counts: `[index, count]` of each that is not 0. */
export function sparseSchema(length: number) {
  return z.array(
    z.tuple([
      z
        .int()
        .min(0)
        .max(length - 1),
      z.int().nonnegative(),
    ]),
  );
}

export function toSparse(counts: Float64Array): SparseHistogram {
  const sparse: SparseHistogram = [];
  counts.forEach((count, index) => {
    if (count > 0) sparse.push([index, count]);
  });
  return sparse;
}

export function fromSparse(
  sparse: SparseHistogram,
  length: number,
): Float64Array {
  const counts = new Float64Array(length);
  for (const [index, count] of sparse) counts[index] = count;
  return counts;
}
