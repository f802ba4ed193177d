import { LatencyHistogram } from "../../../lib/telemetry/latency-histogram.js";
import {
  OTHER_ROUTES,
  type RouteWindow,
  type Side,
} from "../../../lib/telemetry/telemetry.js";
import { IDLE_WINDOWS, MAX_ROUTES } from "./route-book.js";
import type { TrafficCounts } from "./traffic-recorder.js";

type Column = Side | "alone";

interface Sum {
  requests: number;
  errors: number;
  served: number;
  latency: LatencyHistogram;
}

interface Route {
  idle: number;
  sums: Partial<Record<Column, Sum>>;
}

/** The routes of several books, with as many places as one book has: beyond them, and for all else, there is one together. */
export class MergedRoutes {
  readonly #routes = new Map<string, Route>();
  readonly #other: Route = { idle: 0, sums: {} };

  add({ prod, canary }: Record<Side, TrafficCounts>): void {
    this.#addColumn("prod", prod.routes);
    this.#addColumn("canary", canary.routes);
    this.#addColumn("alone", prod.routesAlone);
  }

  /** What was added since the last call. */
  take(): Record<Column, Record<string, RouteWindow>> {
    const taken = { prod: {}, canary: {}, alone: {} };
    takeRoute(OTHER_ROUTES, this.#other, taken);
    for (const [name, route] of this.#routes) {
      takeRoute(name, route, taken);
      route.idle += 1;
      if (route.idle > IDLE_WINDOWS) this.#routes.delete(name);
    }
    return taken;
  }

  #addColumn(
    column: Column,
    windows: Record<string, RouteWindow> | undefined,
  ): void {
    for (const [name, window] of Object.entries(windows ?? {})) {
      const route = this.#routeOf(name);
      const sum = (route.sums[column] ??= createSum());
      route.idle = 0;
      sum.requests += window.requests;
      sum.errors += window.errors;
      sum.served += window.served;
      sum.latency.merge(window.latency);
    }
  }

  #routeOf(name: string): Route {
    const known = this.#routes.get(name);
    if (known !== undefined) return known;
    if (name === OTHER_ROUTES || this.#routes.size >= MAX_ROUTES)
      return this.#other;
    const route: Route = { idle: 0, sums: {} };
    this.#routes.set(name, route);
    return route;
  }
}

function createSum(): Sum {
  const latency = new LatencyHistogram();
  return { requests: 0, errors: 0, served: 0, latency };
}

function takeRoute(
  name: string,
  route: Route,
  taken: Record<Column, Record<string, RouteWindow>>,
): void {
  for (const column of ["prod", "canary", "alone"] as const) {
    const sum = route.sums[column];
    if (sum === undefined) continue;
    taken[column][name] = { ...sum, latency: sum.latency.toSparse() };
  }
  route.sums = {};
}
