import type { LatencyHistogram } from "../../../lib/telemetry/latency-histogram.js";

/** A shorter wait is not noticed. */
const UNNOTICED_MS = 100;

export interface HarmCounts {
  requests: number;
  /** Without those that prod answered in the canary's place. */
  failed: number;
  latency: LatencyHistogram;
}

/**
 * How many of the canary's requests failed or were slow, beyond what prod's rate lets expect. Slow is what users notice and 99 of 100
 * requests to prod are not, even if each took as much longer as the tolerance allows.
 */
export function excessHarm(
  canary: HarmCounts,
  prod: HarmCounts,
  tolerance: { ratio: number; ms: number },
): number {
  const usualMs = prod.latency.quantile(0.99) ?? 0;
  const slowMs = Math.max(
    UNNOTICED_MS,
    usualMs * (1 + tolerance.ratio) + tolerance.ms,
  );
  const slow = excess(
    [canary.latency.countAbove(slowMs), canary.latency.total],
    [prod.latency.countAbove(slowMs), prod.latency.total],
  );
  const failed = excess(
    [canary.failed, canary.requests],
    [prod.failed, prod.requests],
  );
  return Math.round(slow + failed);
}

type Part = readonly [count: number, of: number];

function excess([count, of]: Part, [expected, outOf]: Part): number {
  return Math.max(0, count - (outOf === 0 ? 0 : (expected / outOf) * of));
}
