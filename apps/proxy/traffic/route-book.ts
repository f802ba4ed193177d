import {
  LatencyHistogram,
  TOP_BUCKET,
} from "../../../lib/telemetry/latency-histogram.js";
import {
  OTHER_ROUTES,
  type RouteWindow,
  type Side,
} from "../../../lib/telemetry/telemetry.js";

export const MAX_ROUTES = 50;
const MAX_SEGMENT = 32;
/** A route that nobody has asked for in so many windows makes room for another. */
export const IDLE_WINDOWS = 600;
const TIMED_OUT = 504;

/** How a request ended. */
export interface Ended {
  status: number;
  rescued: boolean;
  side: Side;
  isDealt: boolean;
  latencyMs: number;
}

type Column = Side | "alone";

interface Tally {
  requests: number;
  errors: number;
  served: number;
  latency: LatencyHistogram;
}

interface Route {
  name: string;
  idle: number;
  tallies: Partial<Record<Column, Tally>>;
}

/**
 * Counts by route: method and first path segment. A route gets a place when a request on it is answered well, so that
 * made-up paths get none; beyond fifty, and for all else, there is one place together.
 */
export class RouteBook {
  readonly #byMethod = new Map<string, Map<string, Route>>();
  readonly #other: Route = { name: OTHER_ROUTES, idle: 0, tallies: {} };
  #size = 0;

  count(
    asked: { method?: string | undefined; url?: string | undefined },
    ended: Ended,
  ): void {
    const route = this.#routeOf(asked, ended.status);
    const column = ended.isDealt ? ended.side : "alone";
    const tally = (route.tallies[column] ??= createTally());
    route.idle = 0;
    tally.requests += 1;
    if (ended.status >= 500) tally.errors += 1;
    if (ended.status < 400) tally.served += 1;
    // Whoever was not answered in time would have waited for longer still.
    if (ended.status === TIMED_OUT) tally.latency.add(TOP_BUCKET, 1);
    else if (!ended.rescued) tally.latency.record(ended.latencyMs);
  }

  /** What was counted since the last call. */
  take(): Record<Column, Record<string, RouteWindow>> {
    const taken = { prod: {}, canary: {}, alone: {} };
    takeRoute(this.#other, taken);
    for (const byPath of this.#byMethod.values())
      for (const [segment, route] of byPath) {
        takeRoute(route, taken);
        route.idle += 1;
        if (route.idle <= IDLE_WINDOWS) continue;
        byPath.delete(segment);
        this.#size -= 1;
      }
    return taken;
  }

  #routeOf(
    asked: { method?: string | undefined; url?: string | undefined },
    status: number,
  ): Route {
    const { method = "", url = "" } = asked;
    const segment = firstSegment(url);
    const known = this.#byMethod.get(method)?.get(segment);
    if (known !== undefined) return known;
    const isAdmitted =
      status < 400 &&
      this.#size < MAX_ROUTES &&
      segment !== "" &&
      segment.length <= MAX_SEGMENT;
    if (!isAdmitted) return this.#other;
    const byPath = this.#byMethod.get(method) ?? new Map<string, Route>();
    this.#byMethod.set(method, byPath);
    const route: Route = { name: `${method} ${segment}`, idle: 0, tallies: {} };
    byPath.set(segment, route);
    this.#size += 1;
    return route;
  }
}

/** `/get` of `/get/key?x=1`; empty for what is no path. */
function firstSegment(url: string): string {
  if (!url.startsWith("/")) return "";
  for (let i = 1; i < url.length; i++) {
    const character = url.charCodeAt(i);
    // A slash or a question mark.
    if (character === 47 || character === 63) return url.slice(0, i);
    if (i > MAX_SEGMENT) return "";
  }
  return url;
}

function takeRoute(
  { name, tallies }: Route,
  taken: Record<Column, Record<string, RouteWindow>>,
): void {
  for (const column of ["prod", "canary", "alone"] as const) {
    const tally = tallies[column];
    if (tally === undefined) continue;
    const { requests, errors, served, latency } = tally;
    taken[column][name] = {
      requests,
      errors,
      served,
      latency: latency.toSparse(),
    };
    Reflect.deleteProperty(tallies, column);
  }
}

function createTally(): Tally {
  const latency = new LatencyHistogram();
  return { requests: 0, errors: 0, served: 0, latency };
}
