import type {
  InstanceSummary,
  RouteVerdict,
  StateReport,
} from "../../../lib/telemetry/monitor-state.js";
import {
  formatCount,
  formatMs,
  formatOdds,
  formatRatio,
  UNKNOWN,
} from "../../../lib/wording/units.js";
import { byId, setText } from "./element.js";
import { KeyedTable, type Cell } from "./keyed-table.js";

/** Canary against prod by route, and each instance by itself; before the stop while the canary is stopped. */
export class Breakdown {
  readonly #routes = new KeyedTable("routes");
  readonly #instances = new KeyedTable("instances");
  readonly #caption = byId("instances-summary");

  show({ verdict, stop, flag, ...state }: StateReport): void {
    this.#routes.show(
      (verdict?.routes ?? [])
        .toSorted(byWeight)
        .map((route) => ({ id: route.route, cells: describeRoute(route) })),
      "No route has been compared yet.",
    );
    const frozen = flag.value ? undefined : stop?.instances;
    const instances = frozen ?? state.instances ?? [];
    setText(this.#caption, describeSpan(state, frozen !== undefined));
    this.#instances.show(
      instances.toSorted(byTrouble).map((instance) => ({
        id: `${instance.target} ${instance.instance}`,
        cells: describeInstance(instance),
      })),
      "No instance has had requests.",
    );
  }
}

/** What speaks most for a worse canary first. */
function byWeight(a: RouteVerdict, b: RouteVerdict): number {
  return b.evidence - a.evidence || b.canaryRequests - a.canaryRequests;
}

function describeRoute(verdict: RouteVerdict): Cell[] {
  const { route, because, evidence } = verdict;
  const { prodP50Ms, canaryP50Ms, prodP95Ms, canaryP95Ms } = verdict;
  return [
    { text: route },
    { text: formatCount(verdict.prodRequests) },
    { text: formatCount(verdict.canaryRequests) },
    { text: comparison(prodP50Ms, canaryP50Ms) },
    { text: comparison(prodP95Ms, canaryP95Ms) },
    because === null
      ? { text: formatOdds(evidence) }
      : { text: because, attributes: { class: "aside" } },
  ];
}

/** `12 → 25 ms, × 2.1` */
function comparison(prod: number | null, canary: number | null): string {
  if (prod === null || canary === null)
    return `${formatMs(prod)} → ${formatMs(canary)}`;
  const ratio = prod > 0 ? `, × ${(canary / prod).toFixed(2)}` : "";
  return `${formatMs(prod)} → ${formatMs(canary)}${ratio}`;
}

function describeSpan(
  { sides }: Pick<StateReport, "sides">,
  isFrozen: boolean,
): string {
  const seconds = sides.prod.windowMs / 1000;
  return isFrozen ? `the ${seconds} s before the stop` : `last ${seconds} s`;
}

const errorRatio = ({ errors, requests }: InstanceSummary) =>
  requests > 0 ? errors / requests : 0;

/** The canary's first, and of each side the worst first. */
function byTrouble(a: InstanceSummary, b: InstanceSummary): number {
  return (
    a.target.localeCompare(b.target) ||
    errorRatio(b) - errorRatio(a) ||
    (b.p95Ms ?? 0) - (a.p95Ms ?? 0)
  );
}

function describeInstance(summary: InstanceSummary): Cell[] {
  const { target, instance, requests, p50Ms, p95Ms } = summary;
  return [
    { text: instance },
    { text: target, attributes: { class: "side", "data-side": target } },
    { text: requests === 0 ? UNKNOWN : formatCount(requests) },
    { text: formatRatio(errorRatio(summary)) },
    { text: formatMs(p50Ms) },
    { text: formatMs(p95Ms) },
  ];
}
