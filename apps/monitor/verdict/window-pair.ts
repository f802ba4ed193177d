import { readShare } from "../../../lib/telemetry/split-ratio.js";
import type {
  RouteWindow,
  Side,
  TrafficWindow,
} from "../../../lib/telemetry/telemetry.js";
import { isFineBucket } from "./evidence/buckets.js";

/** One side of a proxy's window. */
export interface PairSide {
  /** Requests that the split gave to this side. */
  dealt: number;
  /** Those that ended in this window, by route. */
  routes: ReadonlyMap<string, RouteWindow>;
}

/** Both sides of one proxy's window. */
export interface WindowPair {
  /** Its id. */
  proxy: string;
  /** Redis's clock, ms since the epoch. */
  atMs: number;
  /** ρ: the canary's share by the proxy's split; undefined if not reported. */
  share: number | undefined;
  prod: PairSide;
  canary: PairSide;
  /** Requests that prod got because the canary was closed. */
  alone: ReadonlyMap<string, RouteWindow>;
}

interface Half {
  at: number;
  data: TrafficWindow;
}

/**
 * Joins both sides of a proxy's window. A single half is dropped, because the other side would seem to have had no
 * requests.
 */
export class WindowPairing {
  readonly #halves = new Map<string, Half>();

  /** The pair that this window completes, if any; undefined if the proxy does not count by route. */
  add(source: string, window: Half, atMs: number): WindowPair | undefined {
    const other = this.#halves.get(source);
    if (other?.at !== window.at || other.data.target === window.data.target) {
      this.#halves.set(source, window);
      return undefined;
    }
    this.#halves.delete(source);
    const sides = {
      [other.data.target]: other.data,
      [window.data.target]: window.data,
    } as Record<Side, TrafficWindow>;
    const { prod, canary } = sides;
    if (prod.routes === undefined || canary.routes === undefined)
      return undefined;
    return {
      proxy: source,
      atMs,
      share: readShare(prod.split),
      prod: { dealt: prod.dealt ?? 0, routes: toMap(prod.routes) },
      canary: { dealt: canary.dealt ?? 0, routes: toMap(canary.routes) },
      alone: toMap(prod.routesAlone ?? {}),
    };
  }
}

function toMap(routes: Record<string, RouteWindow>): Map<string, RouteWindow> {
  return new Map(Object.entries(routes));
}

/** Whether a split with this share sends requests to both sides. */
export function isDealing(share: number): boolean {
  return share > 0 && share < 1;
}

/** Why a window is malformed, or undefined. */
export function findFlaw(pair: WindowPair): string | undefined {
  const { atMs, share, prod, canary, alone } = pair;
  if (!Number.isFinite(atMs) || atMs < 0) return `a window at ${atMs}`;
  if (share === undefined) return "a proxy that does not report its split";
  if (!(share >= 0 && share <= 1)) return `a canary's share of ${share}`;
  for (const side of [prod, canary]) {
    if (!isCount(side.dealt)) return `a count of ${side.dealt} requests`;
    for (const window of side.routes.values()) {
      const flaw = findRouteFlaw(window);
      if (flaw !== undefined) return flaw;
    }
  }
  for (const window of alone.values()) {
    const flaw = findRouteFlaw(window);
    if (flaw !== undefined) return flaw;
  }
  return undefined;
}

function findRouteFlaw(window: RouteWindow): string | undefined {
  const { requests, errors, served, latency } = window;
  for (const count of [requests, errors, served])
    if (!isCount(count)) return `a count of ${count} requests`;
  const refused = Object.values(window.refused ?? {});
  if (!refused.every(isCount)) return "a malformed count of statuses";
  const sum = refused.reduce((all, count) => all + count, errors + served);
  if (sum > requests && refused.length > 0)
    return `${sum} answers of ${requests} requests`;
  if (errors + served > requests)
    return `${errors} errors and ${served} good answers in ${requests} requests`;
  let measured = 0;
  for (const [bucket, count] of latency) {
    if (!isFineBucket(bucket)) return `a latency in bucket ${bucket}`;
    if (!isCount(count)) return `a count of ${count} latencies`;
    measured += count;
  }
  return measured > requests
    ? `${measured} latencies of ${requests} requests`
    : undefined;
}

function isCount(count: number): boolean {
  return Number.isSafeInteger(count) && count >= 0;
}
