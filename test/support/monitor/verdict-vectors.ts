import { readFileSync } from "node:fs";
import {
  createCounts,
  type BucketCounts,
} from "../../../apps/monitor/verdict/evidence/buckets.js";

export type Sparse = [bucket: number, count: number][];

interface Vectors {
  edges_ms: number[];
  bucket_index: [ms: number, bucket: number][];
  deflate: [ms: number, ratio: number, toleranceMs: number, result: number][];
  warmup: Sparse;
  dictionary: { i: number; weight: number; r_at: Sparse }[];
  latency: {
    name: string;
    rho: number;
    rho_hat: number;
    warmup: "shared" | Sparse;
    canary: Sparse;
    prod: Sparse;
    components_cfg: number[];
    logE_cfg: number;
    components: number[];
    logE: number;
  }[];
  guard: ({
    name: string;
    rho: number;
    blocks: { canary: Sparse; prod: Sparse }[];
  } & Record<
    "trim0" | "trim1" | "trim2",
    { raw: number; guarded: number; min: number }
  >)[];
  errors: {
    canary_errors: number;
    prod_errors: number;
    canary_requests: number;
    rho: number;
    rtol: number;
    floor: number;
    logE_rel: number;
    logE_abs: number | null;
    logE: number;
  }[];
  total: {
    logE_lat: number;
    logE_err: number;
    logE_total: number;
    "alarm_alpha_0.01": boolean;
  }[];
  srm: { canary: number; prod: number; rho: number; logE: number }[];
  dkw_eps: [requests: number, alpha: number, epsilon: number][];
}

/** Reference values of another implementation, with natural logarithms; results must match within 1e-6. */
export const VECTORS = JSON.parse(
  readFileSync(
    new URL("../../../../test/fixtures/verdict-vectors.json", import.meta.url),
    "utf8",
  ),
) as Vectors;

export const CLOSE = 1e-6;

export function toCounts(sparse: Sparse): BucketCounts {
  const counts = createCounts();
  for (const [bucket, count] of sparse) counts[bucket]! += count;
  return counts;
}
