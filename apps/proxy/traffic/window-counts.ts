import { LatencyHistogram } from "../../../lib/telemetry/latency-histogram.js";
import {
  SIDES,
  type Side,
  type TrafficWindow,
} from "../../../lib/telemetry/telemetry.js";
import { RouteBook } from "./route-book.js";

/** One side's counts in a window. */
export type TrafficCounts = Omit<
  TrafficWindow,
  "target" | "split" | "canaryOpen" | "because"
>;

export type TrafficWindows = Record<Side, TrafficCounts>;

/** One side's counts while the window is open. */
export interface SideCounts {
  requests: number;
  errors: number;
  status: Map<number, number>;
  latency: LatencyHistogram;
  chosen: number;
  retried: number;
  rescued: number;
  dealt: number;
}

/** Counts in consecutive windows; memory does not depend on the load. */
export class WindowCounts {
  readonly routes = new RouteBook();
  #sides = createBothCounts();
  #startedAt: number;

  /** @param now monotonic ms, here and below */
  constructor(now: number) {
    this.#startedAt = now;
  }

  of(side: Side): SideCounts {
    return this.#sides[side];
  }

  add(windows: TrafficWindows): void {
    addToBoth(this.#sides, windows);
    this.routes.add(windows);
  }

  /** Ends the window and returns its counts. @param waiting ages of the requests that wait for a response */
  take(now: number, waiting: Record<Side, LatencyHistogram>): TrafficWindows {
    const windowMs = Math.round(now - this.#startedAt);
    this.#startedAt = now;
    const ended = this.#sides;
    this.#sides = createBothCounts();
    const routes = this.routes.take(now);
    const describe = (side: Side): TrafficCounts => {
      const { chosen, retried, rescued, status, latency, ...rest } =
        ended[side];
      return {
        ...rest,
        status: Object.fromEntries(status),
        latency: latency.toSparse(),
        arms: { chosen, retried, rescued },
        waiting: waiting[side].toSparse(),
        windowMs,
        routes: routes[side],
      };
    };
    return {
      prod: { ...describe("prod"), routesAlone: routes.alone },
      canary: describe("canary"),
    };
  }
}

export function createBothCounts(): Record<Side, SideCounts> {
  return { prod: createCounts(), canary: createCounts() };
}

export function addToBoth(
  sums: Record<Side, SideCounts>,
  windows: TrafficWindows,
): void {
  for (const side of SIDES) addTo(sums[side], windows[side]);
}

function createCounts(): SideCounts {
  return {
    requests: 0,
    errors: 0,
    status: new Map(),
    latency: new LatencyHistogram(),
    chosen: 0,
    retried: 0,
    rescued: 0,
    dealt: 0,
  };
}

function addTo(sum: SideCounts, counts: TrafficCounts): void {
  sum.requests += counts.requests;
  sum.errors += counts.errors;
  sum.dealt += counts.dealt ?? 0;
  sum.chosen += counts.arms.chosen;
  sum.retried += counts.arms.retried;
  sum.rescued += counts.arms.rescued ?? 0;
  sum.latency.merge(counts.latency);
  for (const [status, count] of Object.entries(counts.status))
    sum.status.set(
      Number(status),
      (sum.status.get(Number(status)) ?? 0) + count,
    );
}
