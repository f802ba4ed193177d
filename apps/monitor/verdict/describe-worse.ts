import { formatOdds } from "../../../lib/wording/units.js";
import { FAILED } from "./evidence/not-served.js";
import type { RouteVerdict, Verdict } from "./verdict.js";

/** With a smaller ratio of the medians, the tail makes the canary slower. */
const TELLING_RATIO = 1.1;

/** `canary 1.9 × slower than prod on GET /get after 61 canary requests; evidence 132 : 1` */
export function describeWorse(verdict: Verdict): string {
  const { canary, prod, latency, errors, evidence, since } = verdict;
  const when = since === null ? "after" : "over the last";
  const span = `${when} ${canary.requests.toLocaleString("en-US")} canary requests; evidence ${formatOdds(evidence)}`;
  const { notServed } = verdict;
  if (notServed !== null) {
    const { route, status, canaryRatio, prodRatio } = notServed;
    const percent = (of: number) => `${Math.round(1000 * of) / 10} %`;
    const [does, did] =
      status === FAILED
        ? [`fails ${percent(canaryRatio)}`, percent(prodRatio)]
        : [
            `answers ${status} to ${percent(canaryRatio)}`,
            `to ${percent(prodRatio)}`,
          ];
    return `canary ${does} of its requests on ${route}, prod ${did}; evidence ${formatOdds(evidence)}`;
  }
  const isSlower = Math.min(latency.raw, latency.guarded) >= errors;
  const what = isSlower
    ? describeSlower(verdict.routes)
    : `canary fails ${ratio(canary)} of its requests, prod ${ratio(prod)},`;
  return `${what} ${span}`;
}

function describeSlower(routes: readonly RouteVerdict[]): string {
  const [worst] = routes
    .filter(({ because }) => because === null)
    .sort((a, b) => b.evidence - a.evidence);
  if (worst === undefined) return "canary slower than prod";
  const { route, canaryP50Ms, prodP50Ms, canaryP95Ms, prodP95Ms } = worst;
  const median = quotient(canaryP50Ms, prodP50Ms);
  if (median !== undefined && median >= TELLING_RATIO)
    return `canary ${format(median)} × slower than prod on ${route}`;
  const tail = quotient(canaryP95Ms, prodP95Ms);
  return tail !== undefined && tail >= TELLING_RATIO
    ? `canary p95 ${format(tail)} × prod’s on ${route}`
    : `canary slower than prod on ${route}`;
}

function quotient(a: number | null, b: number | null): number | undefined {
  return a === null || b === null || b === 0 ? undefined : a / b;
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
