import { formatOdds } from "../../../lib/wording/units.js";
import { FAILED } from "./evidence/not-served.js";
import type { RouteVerdict, Verdict } from "./verdict.js";

/** With a smaller ratio of the medians, the tail makes the canary slower. */
const TELLING_RATIO = 1.1;

/** `canary 1.9 × slower than prod on GET /get after 61 canary requests; evidence 132 : 1` */
export function describeWorse(verdict: Verdict): string {
  const { canary, evidence, since, notServed } = verdict;
  const what = `canary ${describeDifference(verdict)}`;
  const odds = `evidence ${formatOdds(evidence)}`;
  if (notServed !== null) return `${what}; ${odds}`;
  const when = since === null ? "after" : "over the last";
  const comma = isSlower(verdict) ? "" : ",";
  return `${what}${comma} ${when} ${canary.requests.toLocaleString("en-US")} canary requests; ${odds}`;
}

/** `1.9 × slower on GET /get`, of the canary. */
export function summariseWorse(verdict: Verdict): string {
  return describeDifference(verdict).replace("slower than prod", "slower");
}

/** The latency that makes the canary slower, on the route where it weighs most; undefined if it is worse in another way. */
export function findSlowest(verdict: Verdict):
  | {
      route: string;
      quantile: number;
      canaryMs: number;
      prodMs: number;
      ratio: number;
    }
  | undefined {
  if (verdict.notServed !== null || !isSlower(verdict)) return undefined;
  const worst = findWorstRoute(verdict.routes);
  if (worst === undefined) return undefined;
  const { route, canaryP50Ms, prodP50Ms, canaryP95Ms, prodP95Ms } = worst;
  const candidates = [
    { route, quantile: 0.5, canaryMs: canaryP50Ms, prodMs: prodP50Ms },
    { route, quantile: 0.95, canaryMs: canaryP95Ms, prodMs: prodP95Ms },
  ];
  for (const { canaryMs, prodMs, ...where } of candidates) {
    if (canaryMs === null || prodMs === null || prodMs === 0) continue;
    const ratio = canaryMs / prodMs;
    if (ratio >= TELLING_RATIO) return { ...where, canaryMs, prodMs, ratio };
  }
  return undefined;
}

function isSlower({ latency, errors }: Verdict): boolean {
  return Math.min(latency.raw, latency.trimmed, latency.guarded) >= errors;
}

function findWorstRoute(
  routes: readonly RouteVerdict[],
): RouteVerdict | undefined {
  return routes
    .filter(({ canaryRequests }) => canaryRequests > 0)
    .sort((a, b) => b.evidence - a.evidence)[0];
}

function describeDifference(verdict: Verdict): string {
  const { notServed, canary, prod, routes } = verdict;
  if (notServed !== null) {
    const { route, status, canaryRatio, prodRatio } = notServed;
    const percent = (of: number) => `${Math.round(1000 * of) / 10} %`;
    return status === FAILED
      ? `fails ${percent(canaryRatio)} of its requests on ${route}, prod ${percent(prodRatio)}`
      : `answers ${status} to ${percent(canaryRatio)} of its requests on ${route}, prod to ${percent(prodRatio)}`;
  }
  if (!isSlower(verdict))
    return `fails ${ratio(canary)} of its requests, prod ${ratio(prod)}`;
  const slowest = findSlowest(verdict);
  if (slowest === undefined) {
    const { route } = findWorstRoute(routes) ?? {};
    return `slower than prod${route === undefined ? "" : ` on ${route}`}`;
  }
  const { route, quantile } = slowest;
  const times = format(slowest.ratio);
  return quantile === 0.5
    ? `${times} × slower than prod on ${route}`
    : `p95 ${times} × prod’s on ${route}`;
}

function format(value: number): string {
  return value.toLocaleString("en-US", {
    maximumFractionDigits: value < 10 ? 1 : 0,
  });
}

function ratio({ requests, errors }: Verdict["canary"]): string {
  if (requests === 0) return "0 %";
  return `${Math.round((1000 * errors) / requests) / 10} %`;
}
