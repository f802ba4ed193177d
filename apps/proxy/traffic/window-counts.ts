import type { DealtDeck } from "../../../lib/telemetry/decks.js";
import type { HostDeck } from "../../../lib/telemetry/host-decks.js";
import { LatencyHistogram } from "../../../lib/telemetry/latency-histogram.js";
import {
  SIDES,
  type Side,
  type TrafficWindow,
} from "../../../lib/telemetry/telemetry.js";
import type { Weight } from "../dealing/weight.js";
import type { UpstreamWindow } from "./upstream-counts.js";
import { RouteBook } from "./route-book.js";

/** One side's counts in a window. */
export type TrafficCounts = Omit<
  TrafficWindow,
  | "target"
  | "split"
  | "weight"
  | "decks"
  | "deckRoutes"
  | "hostDecks"
  | "canaryOpen"
  | "because"
>;

export type SideWindows = Record<Side, TrafficCounts>;

interface DealtWindows extends SideWindows {
  /** Those that were completed. */
  decks: DealtDeck[];
  /** The same of prod's hosts. */
  hostDecks: HostDeck[];
}

/** A proxy's window. */
export interface TrafficWindows extends DealtWindows {
  /** That its requests were dealt by. Of those that end in it, some may have been dealt by an earlier one. */
  weight: Weight;
}

/** What one thread has counted. */
export interface ThreadWindows extends DealtWindows {
  /** Undefined if it dealt no request. */
  weight: Weight | undefined;
  upstreams: UpstreamWindow[];
}

/** One side's counts while the window is open. */
export class SideCounts {
  requests = 0;
  errors = 0;
  withoutFeature = 0;
  dealt = 0;
  chosen = 0;
  retried = 0;
  rescued = 0;
  optedIn = 0;
  foundElsewhere = 0;
  above500Ms = 0;
  readonly status = new Map<number, number>();
  readonly latency = new LatencyHistogram();

  add({ arms, ...counts }: TrafficCounts): void {
    this.requests += counts.requests;
    this.errors += counts.errors;
    this.withoutFeature += counts.withoutFeature ?? 0;
    this.dealt += counts.dealt ?? 0;
    this.chosen += arms.chosen;
    this.retried += arms.retried;
    this.rescued += arms.rescued ?? 0;
    this.optedIn += arms.optedIn ?? 0;
    this.foundElsewhere += arms.foundElsewhere ?? 0;
    this.latency.merge(counts.latency);
    this.above500Ms += counts.above500Ms ?? 0;
    for (const [status, count] of Object.entries(counts.status))
      this.addStatus(Number(status), count);
  }

  addStatus(status: number, count: number): void {
    this.status.set(status, (this.status.get(status) ?? 0) + count);
  }
}

/** Ages of the requests that wait for a response. */
export class WaitingAges {
  readonly #all = new LatencyHistogram();
  readonly #routes = new Map<string, LatencyHistogram>();

  record(route: string, ageMs: number): void {
    this.#all.record(ageMs);
    this.#routeOf(route).record(ageMs);
  }

  merge({ waiting = [], waitingRoutes = {} }: TrafficCounts): void {
    this.#all.merge(waiting);
    for (const [route, ages] of Object.entries(waitingRoutes))
      this.#routeOf(route).merge(ages);
  }

  toCounts(): Pick<TrafficCounts, "waiting" | "waitingRoutes"> {
    const routes = [...this.#routes].map(
      ([route, ages]) => [route, ages.toSparse()] as const,
    );
    return {
      waiting: this.#all.toSparse(),
      ...(routes.length > 0 && { waitingRoutes: Object.fromEntries(routes) }),
    };
  }

  #routeOf(route: string): LatencyHistogram {
    const known = this.#routes.get(route) ?? new LatencyHistogram();
    this.#routes.set(route, known);
    return known;
  }
}

/** Counts in consecutive windows; memory does not depend on the load. */
export class WindowCounts {
  readonly routes = new RouteBook();
  #sides = createCounts();
  #startedAt: number;

  /** @param now monotonic ms, here and below */
  constructor(now: number) {
    this.#startedAt = now;
  }

  /** Monotonic ms. */
  get startedAt(): number {
    return this.#startedAt;
  }

  of(side: Side): SideCounts {
    return this.#sides[side];
  }

  add(windows: SideWindows): void {
    for (const side of SIDES) this.#sides[side].add(windows[side]);
    this.routes.add(windows);
  }

  /** Ends the window and returns its counts. */
  take(now: number, waiting: Record<Side, WaitingAges>): SideWindows {
    const windowMs = Math.round(now - this.#startedAt);
    this.#startedAt = now;
    const ended = this.#sides;
    this.#sides = createCounts();
    const routes = this.routes.take(now);
    const describe = (side: Side): TrafficCounts => {
      const { chosen, retried, rescued, status, latency, ...counts } =
        ended[side];
      const { optedIn, foundElsewhere, ...rest } = counts;
      return {
        ...rest,
        status: Object.fromEntries(status),
        latency: latency.toSparse(),
        arms: {
          ...{ chosen, retried, rescued },
          ...(optedIn > 0 && { optedIn }),
          ...(foundElsewhere > 0 && { foundElsewhere }),
        },
        ...waiting[side].toCounts(),
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

export function createCounts(): Record<Side, SideCounts> {
  return { prod: new SideCounts(), canary: new SideCounts() };
}
