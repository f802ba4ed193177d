import { LatencyHistogram } from "../../../lib/telemetry/latency-histogram.js";
import {
  OTHER_ROUTES,
  SIDES,
  type RouteWindow,
  type Side,
} from "../../../lib/telemetry/telemetry.js";
import type { SideWindows } from "./window-counts.js";

/** Each is a histogram a side, some 3 KB of the metrics. */
const MAX_ROUTES = 16;

class Total {
  /** `rejected`: answered with 400 to 498. `left`: the client went away before the response. */
  readonly ends = { served: 0, rejected: 0, failed: 0, left: 0 };
  readonly latency = new LatencyHistogram();

  add({ requests, served, errors, refused = {}, latency }: RouteWindow): void {
    const rejected = Object.values(refused).reduce((sum, one) => sum + one, 0);
    this.ends.served += served;
    this.ends.rejected += rejected;
    this.ends.failed += errors;
    this.ends.left += requests - served - rejected - errors;
    this.latency.merge(latency);
  }
}

/**
 * Each route's counts since the start. The first sixteen names keep their own, and all others share one, because a counter
 * must not begin again when a route is used again.
 */
export class RouteTotals {
  readonly #routes = new Map<string, Partial<Record<Side, Total>>>();

  add({ prod, canary }: SideWindows): void {
    this.#addSide("prod", prod.routes);
    this.#addSide("prod", prod.routesAlone);
    this.#addSide("canary", canary.routes);
  }

  list() {
    return [...this.#routes].flatMap(([route, totals]) =>
      SIDES.flatMap((side) => {
        const total = totals[side];
        return total === undefined ? [] : [{ route, side, total }];
      }),
    );
  }

  #addSide(side: Side, windows: Record<string, RouteWindow> = {}): void {
    for (const [name, window] of Object.entries(windows)) {
      const isFull = this.#routes.size >= MAX_ROUTES;
      const route = this.#routes.has(name) || !isFull ? name : OTHER_ROUTES;
      const totals = this.#routes.get(route) ?? {};
      this.#routes.set(route, totals);
      (totals[side] ??= new Total()).add(window);
    }
  }
}
