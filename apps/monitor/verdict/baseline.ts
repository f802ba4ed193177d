import * as z from "zod";
import {
  OTHER_ROUTES,
  type RouteWindow,
} from "../../../lib/telemetry/telemetry.js";
import {
  BUCKETS,
  bucketOfFine,
  createCounts,
  type BucketCounts,
} from "./evidence/buckets.js";
import { fromSparse, sparseSchema, toSparse } from "./sparse.js";

/** The prod requests that a route needs to be compared. */
const MIN_REQUESTS = 200;
const GENERATION_MS = 300_000;
/** Including the one for all other routes. */
const MAX_ROUTES = 51;

interface RouteBaseline {
  requests: number;
  served: number;
  latency: BucketCounts;
}

type Generation = Map<string, RouteBaseline>;

const storedGeneration = z.record(
  z.string(),
  z.object({
    requests: z.int().nonnegative(),
    served: z.int().nonnegative(),
    latency: sparseSchema(BUCKETS),
  }),
);
export const storedBaseline = z.object({
  since: z.number(),
  current: storedGeneration,
  previous: storedGeneration,
});
export type StoredBaseline = z.infer<typeof storedBaseline>;

/**
 * Prod's requests on each route in the last five to ten minutes. They decide which routes a test can compare, and with
 * which dictionaries.
 */
export class Baseline {
  #since = -Infinity;
  #current: Generation = new Map();
  #previous: Generation = new Map();

  /** @param atMs the end of the window */
  add(routes: ReadonlyMap<string, RouteWindow>, atMs: number): void {
    if (atMs - this.#since >= GENERATION_MS || atMs < this.#since) {
      // After a clock jump, an empty generation does not replace the previous one.
      if (this.#current.size > 0) this.#previous = this.#current;
      this.#current = new Map();
      this.#since = atMs;
    }
    for (const [name, { requests, served, latency }] of routes) {
      const route = this.#routeOf(name);
      route.requests += requests;
      route.served += served;
      for (const [fine, count] of latency) {
        const bucket = bucketOfFine(fine);
        route.latency[bucket] = (route.latency[bucket] ?? 0) + count;
      }
    }
  }

  /** Prod's latencies on this route, or why they cannot be used. */
  warmUpOf(name: string): BucketCounts | { because: string } {
    const latency = createCounts();
    let requests = 0;
    let served = 0;
    for (const generation of [this.#current, this.#previous]) {
      const route = generation.get(name);
      if (route === undefined) continue;
      requests += route.requests;
      served += route.served;
      route.latency.forEach((count, bucket) => {
        latency[bucket] = (latency[bucket] ?? 0) + count;
      });
    }
    if (requests < MIN_REQUESTS)
      return {
        because: `prod has answered ${requests} requests, ${MIN_REQUESTS} are needed`,
      };
    if (served * 2 < requests)
      return { because: "prod does not serve it, or fails on it" };
    return latency;
  }

  /** Forgets everything, because prod has a new release. */
  clear(): void {
    this.#current = new Map();
    this.#previous = new Map();
  }

  toStored(): StoredBaseline {
    const store = (generation: Generation) =>
      Object.fromEntries(
        [...generation].map(([name, { requests, served, latency }]) => [
          name,
          { requests, served, latency: toSparse(latency) },
        ]),
      );
    return {
      since: Number.isFinite(this.#since) ? this.#since : 0,
      current: store(this.#current),
      previous: store(this.#previous),
    };
  }

  static restore(stored: StoredBaseline): Baseline {
    const restore = (generation: StoredBaseline["current"]): Generation =>
      new Map(
        Object.entries(generation).map(([name, route]) => [
          name,
          { ...route, latency: fromSparse(route.latency, BUCKETS) },
        ]),
      );
    const baseline = new Baseline();
    baseline.#since = stored.since;
    baseline.#current = restore(stored.current);
    baseline.#previous = restore(stored.previous);
    return baseline;
  }

  #routeOf(name: string): RouteBaseline {
    const known = this.#current.get(name);
    if (known !== undefined) return known;
    if (name !== OTHER_ROUTES && this.#current.size >= MAX_ROUTES - 1)
      return this.#routeOf(OTHER_ROUTES);
    const route = { requests: 0, served: 0, latency: createCounts() };
    this.#current.set(name, route);
    return route;
  }
}
