import * as z from "zod";
import {
  OTHER_ROUTES,
  type RouteWindow,
} from "../../../../lib/telemetry/telemetry.js";
import { ComparedRoute } from "./compared-route.js";
import { BUCKETS } from "../evidence/dictionary.js";
import { fromSparse, sparseSchema, toSparse } from "./sparse.js";
import type { Tolerance } from "./tolerance.js";

/** The prod requests that a route needs to be compared. */
const MIN_REQUESTS = 200;
/** A generation ends with as many requests, or after as long; the last two are remembered. */
const GENERATION_REQUESTS = 1000;
const GENERATION_MS = 12 * 3_600_000;
/** Including the one for all other routes. */
const MAX_ROUTES = 51;

const storedCounts = z.object({
  since: z.number(),
  requests: z.int().nonnegative(),
  served: z.int().nonnegative(),
  latency: sparseSchema(BUCKETS),
});
export const storedBaseline = z.array(
  z.tuple([z.string(), z.array(storedCounts)]),
);
export type StoredBaseline = z.infer<typeof storedBaseline>;

interface Counts {
  since: number;
  requests: number;
  served: number;
  latency: Float64Array;
}

/** Prod's requests on a route before it is compared. */
export interface WarmUp {
  latency: Float64Array;
  perSecond: number;
}

/**
 * Prod's last 1,000 to 2,000 requests on each route, of 24 hours at most. They decide which routes a test can compare, and
 * with which dictionaries.
 */
export class Baseline {
  /** The generations of each route, the current one last. */
  readonly #routes = new Map<string, Counts[]>();
  #lastAt = 0;

  /** @param atMs the end of the window */
  add(routes: ReadonlyMap<string, RouteWindow>, atMs: number): void {
    this.#lastAt = atMs;
    for (const [name, { requests, served, latency }] of routes) {
      if (requests === 0) continue;
      const counts = this.#currentOf(name, atMs);
      counts.requests += requests;
      counts.served += served;
      for (const [bucket, count] of latency)
        counts.latency[bucket] = (counts.latency[bucket] ?? 0) + count;
    }
  }

  /** Also of those that cannot be compared, and `other`. */
  get names(): string[] {
    return [...new Set([...this.#routes.keys(), OTHER_ROUTES])];
  }

  /** Of the route with the fewest requests to go: what it has, what it needs, and the seconds until then. */
  nearest(): { requests: number; needed: number; seconds: number | null } {
    const all = this.names.map((name) => {
      const generations = this.#generationsOf(name);
      const requests = sum(generations, "requests");
      const perSecond = requests / this.#secondsOf(generations);
      const seconds = (MIN_REQUESTS - requests) / perSecond;
      return { requests, seconds: Number.isFinite(seconds) ? seconds : null };
    });
    const most = all.reduce((best, one) =>
      one.requests > best.requests ? one : best,
    );
    return { ...most, needed: MIN_REQUESTS };
  }

  /** Prod's latencies on this route, or why they cannot be used. */
  warmUpOf(name: string): WarmUp | { because: string } {
    const generations = this.#generationsOf(name);
    if (isRare(generations))
      return {
        because: `prod has answered ${sum(generations, "requests")} requests, ${MIN_REQUESTS} are needed`,
      };
    if (!isServed(generations))
      return { because: "prod does not serve it, or fails on it" };
    const latency = new Float64Array(BUCKETS);
    for (const { latency: counts } of generations)
      counts.forEach((count, bucket) => {
        latency[bucket] = (latency[bucket] ?? 0) + count;
      });
    const perSecond =
      sum(generations, "requests") / this.#secondsOf(generations);
    return { latency, perSecond };
  }

  /** Whether requests of a route without a warm-up of its own can be compared with those of all such routes. */
  isRareAndServed(name: string): boolean {
    const generations = this.#routes.get(name) ?? [];
    return isRare(generations) && isServed(generations);
  }

  /** Forgets everything, because prod has a new release. */
  clear(): void {
    this.#routes.clear();
  }

  toStored(): StoredBaseline {
    return [...this.#routes].map(([name, generations]) => [
      name,
      generations.map(({ latency, ...counts }) => ({
        ...counts,
        latency: toSparse(latency),
      })),
    ]);
  }

  static restore(stored: StoredBaseline, atMs: number): Baseline {
    const baseline = new Baseline();
    baseline.#lastAt = atMs;
    for (const [name, generations] of stored)
      baseline.#routes.set(
        name,
        generations.map(({ latency, ...counts }) => ({
          ...counts,
          latency: fromSparse(latency, BUCKETS),
        })),
      );
    return baseline;
  }

  /** Those of `other` are of all rare routes. */
  #generationsOf(name: string): Counts[] {
    return name === OTHER_ROUTES
      ? [...this.#routes].flatMap(([other, own]) =>
          other === OTHER_ROUTES || (isRare(own) && isServed(own)) ? own : [],
        )
      : (this.#routes.get(name) ?? []);
  }

  #secondsOf(generations: readonly Counts[]): number {
    const since = Math.min(...generations.map((one) => one.since));
    return Math.max(1, (this.#lastAt - since) / 1000);
  }

  #currentOf(name: string, atMs: number): Counts {
    const generations = this.#routes.get(name);
    if (generations === undefined && name !== OTHER_ROUTES) {
      const others = this.#routes.has(OTHER_ROUTES) ? 1 : 0;
      if (this.#routes.size - others >= MAX_ROUTES - 1)
        return this.#currentOf(OTHER_ROUTES, atMs);
    }
    const current = generations?.at(-1);
    if (
      current !== undefined &&
      current.requests < GENERATION_REQUESTS &&
      atMs - current.since < GENERATION_MS
    )
      return current;
    const next = {
      ...{ since: atMs, requests: 0, served: 0 },
      latency: new Float64Array(BUCKETS),
    };
    this.#routes.set(name, current === undefined ? [next] : [current, next]);
    return next;
  }
}

/** The routes that a test could compare now. */
export function compareRoutes(
  baseline: Baseline,
  tolerance: Tolerance,
): ComparedRoute[] {
  return baseline.names.flatMap((name) => {
    const warmUp = baseline.warmUpOf(name);
    return "because" in warmUp ? [] : [new ComparedRoute(warmUp, tolerance)];
  });
}

function sum(
  generations: readonly Counts[],
  figure: "requests" | "served",
): number {
  return generations.reduce((total, counts) => total + counts[figure], 0);
}

function isRare(generations: readonly Counts[]): boolean {
  return sum(generations, "requests") < MIN_REQUESTS;
}

function isServed(generations: readonly Counts[]): boolean {
  return sum(generations, "served") * 2 >= sum(generations, "requests");
}
