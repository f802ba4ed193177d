/**
 * What the first edition of the verdict did, measured in November 2026 with the same kinds of traffic. It bet on each request by
 * itself, was guarded by clock blocks of 5 s, and has been replaced.
 */
export const FIRST_EDITION = {
  healthy: {
    steady: "0 %",
    "both sides stall, × 5 for 2 s in 30 s": "0 %",
    "cron: each minute 4 × load and 3 × latency for 10 s": "0 %",
    "ten routes, their mix moves": "0 %",
    "a page and its assets: period 4": "0 %",
    "each host by itself, 10 % for 10 s": "0 %",
    "hiccups of the canary, × 3 for 2 s in 30 s": "7–23 %",
    "collections, 0.5–1.5 s a minute on each host": "3–5 %",
    "random stalls of either side, × 4, mean 1 s, 40 s apart": "5–7 %",
    "one stall of the canary, × 20 for 2 s": "30 %",
    "the canary stands still once, 2 s": "0 %",
    "one stall of the canary, × 5 for 5 s": "47 %",
    "cold canary, τ 5 s": "63 %",
    "cold canary, τ 20 s": "100 %",
    "cold canary, τ 60 s": "100 %",
    "cold cache, +100 ms on half for 60 s": "100 %",
    "one of two prod hosts 5 % faster than the canary's": "0 %",
    "one of two prod hosts 30 % faster than the canary's": "99.5 %",
  },
  /** Median canary requests after its warm-up of 52, at 25 %. */
  worse: {
    "× 2": "118–123",
    "× 1.5": "196–232",
    "× 1.2": "2,056–never",
    "+500 ms on 5 %": "354",
    "+500 ms on 1 %": "2,335",
    "1 % errors": "960",
    "5 % errors": "151",
    "20 % errors": "48",
    "100 % errors on a route of 0.1 requests/s": "never",
    "one of ten routes × 3": "609",
    "× 1.5, ten routes, their mix moves": "351",
    "× 1.5, both sides stall": "246",
    "× 2, a service of 3 ms": "900",
    "× 2, a service of 0.4 ms": "never",
    "× 2, 10 requests/s": "32",
    "× 1.5, 10 requests/s": "91",
    "× 2, 0.3 requests/s": "never",
    "× 2, 0.1 requests/s": "never",
  },
} satisfies Record<string, Record<string, string>>;

export function findFirst(part: string, name: string): string {
  const known: Record<string, Record<string, string>> = FIRST_EDITION;
  return known[part]?.[name] ?? "";
}
