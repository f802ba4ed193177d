import type {
  LatencyHistogram,
  SparseHistogram,
} from "../../../lib/telemetry/latency-histogram.js";
import type { Side, TrafficWindow } from "../../../lib/telemetry/telemetry.js";
import { compareMs, formatQuantile } from "../../../lib/wording/units.js";
import type { LatencyRule } from "../config.js";
import type { SideWindow } from "../telemetry/side-window.js";
import { pathOf, type RouteRules } from "./route-rules.js";

export interface LatencyFigures {
  /** The path of a route with a rule of its own. */
  route?: string;
  quantile: number;
  /** The quantile's latency; null without requests. */
  latencyMs: number | null;
  thresholdMs: number;
  /** The rule's window, or the time that the last requests cover. */
  windowMs: number;
  /** Answered requests and those counted as waiting. */
  requests: number;
  /** Of these, those that took or have waited longer than the threshold. */
  slow: number;
  /** Of the slow ones, those that still wait. */
  waiting: number;
  /** Of all these requests, as `latencyMs` is. */
  p50Ms: number | null;
  p95Ms: number | null;
  p99Ms: number | null;
}

export interface LatencyJudgement {
  /** With fewer requests than the rule needs, nothing is known. */
  isKnown: boolean;
  isBreach: boolean;
  figures: LatencyFigures;
}

/**
 * Judges a side since the last flip, which answered everything before it. Routes with a rule of their own are judged by
 * themselves, or not at all. @returns the first breach; without any, the judgement of all other routes
 */
export function judgeSide(
  window: SideWindow,
  rule: LatencyRule,
  { now, sinceMs }: { now: number; sinceMs: number },
): LatencyJudgement {
  const judge = (thresholdMs: number, route?: string) => {
    const { answered, waiting } = selectRoute(rule.routes, route);
    const { latency, spanMs } = window.lastAnswered(now, sinceMs, answered);
    const beyond = window.waitingBeyond(thresholdMs, now, sinceMs, waiting);
    const windowMs = Math.ceil(spanMs / 1000) * 1000;
    return judgeLatency(latency, beyond, {
      ...rule,
      thresholdMs,
      windowMs: Math.max(rule.windowMs, windowMs),
      ...(route !== undefined && { route }),
    });
  };
  const rest = judge(rule.thresholdMs);
  if (rest.isBreach) return rest;
  for (const [route, thresholdMs] of rule.routes) {
    const own = thresholdMs === null ? undefined : judge(thresholdMs, route);
    if (own?.isBreach) return own;
  }
  return rest;
}

/** The requests of this route, or of all routes without a rule. */
function selectRoute(rules: RouteRules, route: string | undefined) {
  const select = (byRoute: Record<string, SparseHistogram>) =>
    Object.entries(byRoute)
      .filter(([name]) => {
        const path = pathOf(name);
        return route === undefined ? !rules.has(path) : path === route;
      })
      .map(([, latency]) => latency);
  return {
    answered: ({ latency, routes, routesAlone = {} }: TrafficWindow) => {
      if (rules.size === 0 || routes === undefined) return [latency];
      return [routes, routesAlone].flatMap((windows) =>
        select(
          Object.fromEntries(
            Object.entries(windows).map(([name, of]) => [name, of.latency]),
          ),
        ),
      );
    },
    waiting: ({ waiting = [], waitingRoutes }: TrafficWindow) =>
      rules.size === 0 || waitingRoutes === undefined
        ? [waiting]
        : select(waitingRoutes),
  };
}

/**
 * The latency rule: with enough requests, the latency quantile over the window must not exceed the threshold.
 *
 * A request that has waited for longer than the threshold counts with its age so far. Its latency can only grow, so there
 * is no false breach, and a canary that hangs is detected before its first time-out.
 *
 * @param latency answered requests; `waiting` is merged into it
 */
export function judgeLatency(
  latency: LatencyHistogram,
  waiting: SparseHistogram,
  rule: Omit<LatencyRule, "sides" | "routes"> & { route?: string },
): LatencyJudgement {
  latency.merge(waiting);
  const latencyMs = latency.quantile(rule.quantile) ?? null;
  const rounded = (quantile: number) => roundUp(latency.quantile(quantile));
  const isKnown = latency.total >= rule.minRequests;
  return {
    isKnown,
    isBreach: isKnown && latencyMs !== null && latencyMs > rule.thresholdMs,
    figures: {
      ...(rule.route !== undefined && { route: rule.route }),
      quantile: rule.quantile,
      latencyMs: rounded(rule.quantile),
      thresholdMs: rule.thresholdMs,
      windowMs: rule.windowMs,
      requests: latency.total,
      slow: latency.countAbove(rule.thresholdMs),
      waiting: waiting.reduce((sum, [, count]) => sum + count, 0),
      p50Ms: rounded(0.5),
      p95Ms: rounded(0.95),
      p99Ms: rounded(0.99),
    },
  };
}

/** To tenths; up, so that a latency above the threshold stays above it. */
export function roundUp(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.ceil(ms * 10) / 10;
}

/** `p95 1,012 ms > 500 ms`, of the canary; `prod p95 …` of prod. */
export function summariseLatency(side: Side, figures: LatencyFigures): string {
  const { quantile, route, latencyMs, thresholdMs } = figures;
  const of = side === "prod" ? "prod " : "";
  const where = route === undefined ? "" : ` on ${route}`;
  return `${of}${formatQuantile(quantile)}${where} ${compareMs(latencyMs ?? 0, thresholdMs)}`;
}

/** `canary p95 1,012 ms > 500 ms over 10 s (7 requests, 2 of them still waiting)` */
export function describeLatency(side: Side, figures: LatencyFigures): string {
  const waiting =
    figures.waiting > 0 ? `, ${figures.waiting} of them still waiting` : "";
  const of = side === "canary" ? "canary " : "";
  return `${of}${summariseLatency(side, figures)} over ${figures.windowMs / 1000} s (${figures.requests} requests${waiting})`;
}
