import type { DealtDeck } from "../../../lib/telemetry/decks.js";
import {
  OTHER_ROUTES,
  type RouteWindow,
} from "../../../lib/telemetry/telemetry.js";
import type { PairSide, WindowPair } from "./window-pair.js";

/** Besides the one for all other routes. */
const MAX_PLACES = 50;
/** The time for which the baseline remembers a route. */
const IDLE_MS = 600_000;

type Routes = ReadonlyMap<string, RouteWindow>;

/**
 * The routes that are counted separately. A proxy reports fifty and an `other` route. Several proxies, or one over hours,
 * may report more: those without a place here count as `other` too.
 */
export class RoutePlaces {
  /** The last use of each. */
  readonly #usedAt = new Map<string, number>();

  get names(): string[] {
    return [...this.#usedAt.keys()];
  }

  /** The pair, with its routes by place. */
  assign(pair: WindowPair): WindowPair {
    const { atMs } = pair;
    const side = ({ dealt, routes }: PairSide) => ({
      dealt,
      routes: this.#fold(routes, atMs),
    });
    return {
      ...pair,
      prod: side(pair.prod),
      canary: side(pair.canary),
      alone: this.#fold(pair.alone, atMs),
      decks: Array.isArray(pair.decks)
        ? pair.decks.map((deck) => this.#foldDeck(deck, atMs))
        : pair.decks,
    };
  }

  /** Frees places that were not used lately. */
  vacate(atMs: number, isKept: (name: string) => boolean): void {
    for (const [name, usedAt] of this.#usedAt)
      if (atMs - usedAt > IDLE_MS && !isKept(name)) this.#usedAt.delete(name);
  }

  restore(names: readonly string[], atMs: number): void {
    for (const name of names) this.#usedAt.set(name, atMs);
  }

  #fold(routes: Routes, atMs: number): Routes {
    const folded = new Map<string, RouteWindow>();
    for (const [name, window] of routes) {
      const place = this.#placeOf(name, atMs);
      const there = folded.get(place);
      folded.set(place, there === undefined ? window : join(there, window));
    }
    return folded;
  }

  #foldDeck({ requests, ...deck }: DealtDeck, atMs: number): DealtDeck {
    return {
      ...deck,
      requests: requests.map(([route, bucket]) => [
        this.#placeOf(route, atMs),
        bucket,
      ]),
    };
  }

  #placeOf(name: string, atMs: number): string {
    const isFull =
      this.#usedAt.size - (this.#usedAt.has(OTHER_ROUTES) ? 1 : 0) >=
      MAX_PLACES;
    const place =
      this.#usedAt.has(name) || !isFull || name === OTHER_ROUTES
        ? name
        : OTHER_ROUTES;
    this.#usedAt.set(place, atMs);
    return place;
  }
}

function join(a: RouteWindow, b: RouteWindow): RouteWindow {
  return {
    requests: a.requests + b.requests,
    errors: a.errors + b.errors,
    served: a.served + b.served,
    refused: addCounts(a.refused, b.refused),
    latency: [...a.latency, ...b.latency],
  };
}

function addCounts(
  a: Record<string, number> = {},
  b: Record<string, number> = {},
): Record<string, number> {
  const sum = { ...a };
  for (const [status, count] of Object.entries(b))
    sum[status] = (sum[status] ?? 0) + count;
  return sum;
}
