import type { PlanReport } from "../../../lib/telemetry/plan-report.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";
import type { HistoryReport } from "../messages/history-report.js";
import type { Outlook } from "../control/outlook.js";
import { Baseline, compareRoutes } from "../verdict/baseline/baseline.js";
import { createPlan, type PlanFacts } from "./plan.js";

export const USUAL_MINUTES = 10;
export const USUAL_WEIGHTS: readonly number[] = [2, 5, 10, 25, 50];

export interface PlanQuery {
  minutes: number;
  /** In percent, above 0 and below 100. */
  weights: readonly number[];
}

export interface PlannerOutlook extends Outlook {
  history: { report: (now: number) => Pick<HistoryReport, "points"> };
}

/** Plans one after the other: each takes a second of the monitor's CPU. It throws when Redis is away and this monitor does not lead. */
export function createPlanner(
  outlook: PlannerOutlook,
): (query: PlanQuery) => Promise<PlanReport> {
  let last: Promise<unknown> = Promise.resolve();
  return (query) => {
    const plan = last.then(async () =>
      createPlan(await readFacts(outlook), query),
    );
    last = plan.catch(() => undefined);
    return plan;
  };
}

async function readFacts(outlook: PlannerOutlook): Promise<PlanFacts> {
  const { verdicts, leadership, observations, config } = outlook;
  const baseline = await verdicts.readBaseline(leadership.fence);
  const { mode, alpha, tolerance, stallMs, warmUpMs } = config.verdict;
  const hosts = observations.hosts().map(({ sample }) => sample.target);
  const countOf = (side: Side) => hosts.filter((it) => it === side).length;
  const routes =
    baseline === undefined ? [] : compareRoutes(baseline, tolerance);
  const missing =
    mode === "off"
      ? "VERDICT=off: nothing is compared"
      : describeMissing(baseline ?? new Baseline());
  return {
    routes,
    missing: routes.length > 0 ? null : missing,
    ...readTraffic(outlook),
    proxies: observations.proxies().length,
    hosts: { prod: countOf("prod"), canary: countOf("canary") },
    rule: { alpha, stallMs, warmUpMs },
  };
}

/** Of the last 15 minutes at most. */
function readTraffic({
  history,
  redisNow,
}: PlannerOutlook): Pick<PlanFacts, "requestsPerSecond" | "prodErrorRatio"> {
  let [requests, ofProd, errors, steps] = [0, 0, 0, 0];
  for (const { sides } of history.report(redisNow() ?? 0).points) {
    if (sides === null) continue;
    const { prod, canary } = sides;
    steps += 1;
    requests += prod.requestsPerSecond + canary.requestsPerSecond;
    ofProd += prod.requestsPerSecond;
    errors += prod.requestsPerSecond * (prod.errorRatio ?? 0);
  }
  return {
    requestsPerSecond: requests / Math.max(1, steps),
    prodErrorRatio: ofProd > 0 ? errors / ofProd : 0,
  };
}

function describeMissing(baseline: Baseline): string {
  const { requests, needed, seconds } = baseline.nearest();
  const has = `prod has had ${requests} requests on its busiest route`;
  if (requests >= needed)
    return `${has}, but does not serve them, or fails on them`;
  const wait =
    seconds === null ? "" : `, about ${formatMore(Math.ceil(seconds / 60))}`;
  return `${has}; ${needed} are needed${wait}`;
}

function formatMore(minutes: number): string {
  return `${minutes} more minute${minutes === 1 ? "" : "s"}`;
}
