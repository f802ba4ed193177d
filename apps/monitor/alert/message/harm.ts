import {
  formatCount,
  formatMs,
  formatQuantile,
} from "../../../../lib/wording/units.js";
import type { Harm } from "../../../../lib/telemetry/harm.js";
import { describeHarm } from "../../../../lib/wording/harm.js";
import type { KnownData } from "./known-data.js";

/** Whom the canary has harmed, in a sentence; undefined if that was not counted. */
export function describeMet(
  data: KnownData,
  harm: Harm | undefined,
): string | undefined {
  const { side, requests, slow, waiting = 0, failed = 0, windowMs } = data;
  const { thresholdMs } = data;
  const slowness = describeSlowness(data);
  if (harm !== undefined)
    return `${[describeHarm(harm), slowness].filter(Boolean).join("; ")}.`;
  // A verdict counts only what it compares.
  if (slowness !== undefined) return `${slowness}.`;
  const failures =
    failed === 0 ? "none failed" : `${formatCount(failed)} failed`;
  if (requests === undefined || slow === undefined) return undefined;
  const of = side === "prod" ? "prod" : "the canary";
  const still = waiting > 0 ? ` (${formatCount(waiting)} still wait)` : "";
  return `${formatCount(requests)} requests met ${of} in ${formatMs(windowMs)}: ${formatCount(slow)} took longer than ${formatMs(thresholdMs)}${still}; ${failures}.`;
}

/** `GET /cart took 87 ms instead of 41 ms (p50)` */
function describeSlowness(data: KnownData): string | undefined {
  const { route, quantile, canaryLatencyMs, prodLatencyMs } = data;
  if (route === undefined || quantile === undefined) return undefined;
  return `${route} took ${formatMs(canaryLatencyMs)} instead of ${formatMs(prodLatencyMs)} (${formatQuantile(quantile)})`;
}
