import { readFileSync } from "node:fs";

function read(name: string): unknown {
  const url = new URL(`../../../../test/fixtures/${name}`, import.meta.url);
  return JSON.parse(readFileSync(url, "utf8"));
}

export type Sparse = [bucket: number, count: number][];

interface Vectors {
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

interface DeckVectors {
  parameters: { windowSlots: number };
  slowAbove: number;
  baseline: Sparse;
  weights: number[];
  logRatios: { component: number; bucket: number; lnr: number }[];
  deflate: { ms: number; counts: number; bucket: number }[];
  blocks: {
    buckets: number[];
    /** Their places in `buckets`. */
    canary: number[];
    components: number[];
    a: number[];
    R: number[];
    V: number[];
  }[];
  sequences: {
    name: string;
    /** The slot, the canary's bucket, and prod's. */
    blocks: [slot: number, canary: number, ...prod: number[]][];
    raw: number;
    trimmed: number;
    guarded: number;
    phi: number[];
    components: number[];
    trimmedComponents: number[];
  }[];
}

/** Reference values of another implementation, with natural logarithms, of the evidence that is not about latency. */
export const VECTORS = read("verdict-vectors.json") as Vectors;
export const CLOSE = 1e-6;

/** Of the bets inside decks, and of the guard. */
export const DECK_VECTORS = read("verdict-2-vectors.json") as DeckVectors;
export const VERY_CLOSE = 1e-9;
