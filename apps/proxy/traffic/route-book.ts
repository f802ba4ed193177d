import {
  LatencyHistogram,
  TOP_BUCKET,
} from "../../../lib/telemetry/latency-histogram.js";
import {
  OTHER_ROUTES,
  type RouteWindow,
  type Side,
  type TrafficWindow,
} from "../../../lib/telemetry/telemetry.js";

const MAX_ROUTES = 50;
const MAX_SEGMENT = 32;
/** A route without requests for this long makes room for another. */
export const IDLE_MS = 300_000;
const TIMED_OUT = 504;
/** Nginx's status for a client that left before its response began. */
export const CLIENT_CLOSED = 499;

const COLUMNS = ["prod", "canary", "alone"] as const;
/** `alone`: prod's requests while the canary was closed. */
type Column = (typeof COLUMNS)[number];

export type RouteWindows = Record<Column, Record<string, RouteWindow>>;

export interface RoutedRequest {
  readonly side: Side;
  /** Whether the split chose the side of the request or of its client; false if the canary was closed. */
  readonly isDealt: boolean;
  readonly method: string | undefined;
  readonly url: string | undefined;
}

/** How a request ended. */
export interface Outcome {
  /** The side's own status, even if prod answered in its place (`rescued`). */
  status: number;
  rescued: boolean;
  /** Prod answered 503 because the flag is off. */
  withoutFeature?: boolean;
  /** The side answered 404, and the request was tried on the other one. */
  isFallback?: boolean;
}

class Tally {
  requests = 0;
  errors = 0;
  served = 0;
  /** Undefined without any. */
  refused: Record<string, number> | undefined;
  readonly latency = new LatencyHistogram();
}

/** Counts answers with a status from 400 to 498: the client's own departure (499) is none. */
function addRefused(tally: Tally, status: string | number, count: number) {
  const refused = (tally.refused ??= {});
  refused[status] = (refused[status] ?? 0) + count;
}

class Route {
  readonly name: string;
  /** Monotonic ms: the end of the last window with a request for it. */
  usedAt = 0;
  #tallies: Partial<Record<Column, Tally>> = {};

  constructor(name: string) {
    this.name = name;
  }

  tally(column: Column): Tally {
    return (this.#tallies[column] ??= new Tally());
  }

  /** @returns whether it had requests */
  take(taken: RouteWindows): boolean {
    const used = COLUMNS.filter((column) => this.#tallies[column]);
    for (const column of used) {
      const { latency, refused, ...counts } = this.tally(column);
      taken[column][this.name] = {
        ...counts,
        ...(refused && { refused }),
        latency: latency.toSparse(),
      };
    }
    this.#tallies = {};
    return used.length > 0;
  }
}

/**
 * Counts requests by route: method and first path segment. A route gets its own entry with its first successful response,
 * so that invented paths get none. All other requests, and those of routes beyond fifty, share one entry.
 */
export class RouteBook {
  readonly #byMethod = new Map<string, Map<string, Route>>();
  readonly #other = new Route(OTHER_ROUTES);
  #size = 0;

  /** @param bucket the latency's, if it has one @returns the route's name */
  count(
    request: RoutedRequest,
    outcome: Outcome,
    bucket: number | undefined,
  ): string {
    const { side, isDealt, method = "", url = "" } = request;
    const { status, rescued } = outcome;
    const route = this.#routeOf(method, firstSegment(url), status < 400);
    const tally = route.tally(isDealt ? side : "alone");
    tally.requests += 1;
    if (status >= 500) tally.errors += 1;
    if (status < 400) tally.served += 1;
    else if (status < CLIENT_CLOSED) addRefused(tally, status, 1);
    // Without the time-out the response would have taken even longer.
    if (status === TIMED_OUT) tally.latency.add(TOP_BUCKET, 1);
    else if (!rescued && bucket !== undefined) tally.latency.add(bucket, 1);
    return route.name;
  }

  /** The name that a request without an answer counts under. */
  nameOf({
    method = "",
    url = "",
  }: Pick<RoutedRequest, "method" | "url">): string {
    return this.#routeOf(method, firstSegment(url), false).name;
  }

  /** What another book's route is called here, after its counts were added. */
  renamed(name: string): string {
    const [method, url] = name.split(" ");
    return this.nameOf({ method, url });
  }

  /** Adds another book's counts. */
  add({
    prod,
    canary,
  }: Record<Side, Pick<TrafficWindow, "routes" | "routesAlone">>): void {
    this.#addColumn("prod", prod.routes);
    this.#addColumn("canary", canary.routes);
    this.#addColumn("alone", prod.routesAlone);
  }

  /** The counts since the last call. @param now monotonic ms */
  take(now: number): RouteWindows {
    const taken = { prod: {}, canary: {}, alone: {} };
    this.#other.take(taken);
    for (const bySegment of this.#byMethod.values())
      for (const [segment, route] of bySegment) {
        if (route.take(taken)) route.usedAt = now;
        else if (now - route.usedAt > IDLE_MS) {
          bySegment.delete(segment);
          this.#size -= 1;
        }
      }
    return taken;
  }

  #addColumn(
    column: Column,
    windows: Record<string, RouteWindow> | undefined,
  ): void {
    for (const [name, window] of Object.entries(windows ?? {})) {
      const [method = "", segment = ""] = name.split(" ");
      const tally = this.#routeOf(method, segment, true).tally(column);
      tally.requests += window.requests;
      tally.errors += window.errors;
      tally.served += window.served;
      for (const [status, count] of Object.entries(window.refused ?? {}))
        addRefused(tally, status, count);
      tally.latency.merge(window.latency);
    }
  }

  #routeOf(method: string, segment: string, isServed: boolean): Route {
    const known = this.#byMethod.get(method)?.get(segment);
    if (known !== undefined) return known;
    if (!isServed || segment === "" || this.#size >= MAX_ROUTES)
      return this.#other;
    const bySegment = this.#byMethod.get(method) ?? new Map<string, Route>();
    this.#byMethod.set(method, bySegment);
    const route = new Route(`${method} ${segment}`);
    bySegment.set(segment, route);
    this.#size += 1;
    return route;
  }
}

/** `/get` of `/get/key?x=1`; empty for a segment that is too long, or for no path. */
function firstSegment(url: string): string {
  if (!url.startsWith("/")) return "";
  for (let i = 1; i < url.length; i++) {
    const character = url.charCodeAt(i);
    // A slash or a question mark.
    if (character === 47 || character === 63) return url.slice(0, i);
    if (i >= MAX_SEGMENT) return "";
  }
  return url;
}
