import { LatencyHistogram } from "../../../lib/telemetry/latency-histogram.js";
import { OTHER_ROUTES } from "../../../lib/telemetry/telemetry.js";
import type { Baseline } from "./baseline/baseline.js";
import type { ComparedRoute } from "./baseline/compared-route.js";
import { mix } from "./evidence/stall-guard.js";
import type { RouteSums } from "./stretch.js";
import type { RouteVerdict } from "./verdict.js";

/** What decides whether a route is compared. */
interface Known {
  baseline: Pick<Baseline, "warmUpOf">;
  compared: ReadonlyMap<string, ComparedRoute>;
}

export function describeRoute(
  route: string,
  sums: RouteSums | undefined,
  known: Known,
): RouteVerdict {
  const canary = sums?.canary ?? new LatencyHistogram();
  const prod = sums?.prod ?? new LatencyHistogram();
  const isCompared = known.compared.has(route);
  return {
    route,
    because: isCompared ? null : sayWhyNot(route, known),
    evidence: sums === undefined ? 0 : finite(mix(sums.winnings)),
    canaryRequests: canary.total,
    prodRequests: prod.total,
    canaryP50Ms: quantile(canary, 0.5),
    prodP50Ms: quantile(prod, 0.5),
    canaryP95Ms: quantile(canary, 0.95),
    prodP95Ms: quantile(prod, 0.95),
  };
}

function sayWhyNot(route: string, { baseline, compared }: Known): string {
  const warmUp = baseline.warmUpOf(route);
  if (!("because" in warmUp)) return "compared from the next window on";
  const isWithOthers =
    compared.has(OTHER_ROUTES) && warmUp.because.includes("are needed");
  return isWithOthers
    ? `${warmUp.because}: compared with other rare routes`
    : warmUp.because;
}

function quantile(histogram: LatencyHistogram, q: number): number | null {
  const ms = histogram.quantile(q);
  return ms === undefined ? null : Math.round(ms * 100) / 100;
}

/** JSON has no infinities. */
export function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}
