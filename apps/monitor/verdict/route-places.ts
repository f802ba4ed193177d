import {
  OTHER_ROUTES,
  type RouteWindow,
} from "../../../lib/telemetry/telemetry.js";
import type { PairSide, WindowPair } from "./window-pair.js";

/** Beside the one for all others together. */
const MAX_PLACES = 50;
/** As long as the baseline remembers a route. */
const IDLE_MS = 600_000;

type Routes = ReadonlyMap<string, RouteWindow>;

/**
 * Which routes are counted by themselves. A proxy tells of fifty and the others together; several proxies, or one after
 * hours, may tell of more: whatever finds no place here is counted with those others.
 */
export class RoutePlaces {
  /** When each was last asked for. */
  readonly #usedAt = new Map<string, number>();

  get names(): string[] {
    return [...this.#usedAt.keys()];
  }

  /** The pair, its routes by their places. */
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
    };
  }

  /** Lets those go that nobody has asked for lately. */
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
    latency: [...a.latency, ...b.latency],
  };
}
