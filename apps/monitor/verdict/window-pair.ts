import {
  decodeDecks,
  SLOT_MS,
  type DealtDeck,
} from "../../../lib/telemetry/decks.js";
import {
  decodeHostDecks,
  type HostDeck,
} from "../../../lib/telemetry/host-decks.js";
import { readShare } from "../../../lib/telemetry/split-ratio.js";
import type {
  RouteWindow,
  Side,
  TrafficWindow,
} from "../../../lib/telemetry/telemetry.js";

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
  /** In percent, as dealt; undefined if not reported. */
  weight?: number | undefined;
  prod: PairSide;
  canary: PairSide;
  /** Requests that prod got because the canary was closed. */
  alone: ReadonlyMap<string, RouteWindow>;
  /** The decks that were completed, with slots by Redis's clock; why they cannot be right; undefined if none are sent. */
  decks: DealtDeck[] | string | undefined;
  /** The number of prod's hosts, and decks of them; undefined if they are malformed, or none are sent. */
  hostDecks?: { hosts: number; decks: HostDeck[] } | undefined;
}

interface Half {
  at: number;
  data: TrafficWindow;
}

/** The proxies' clocks and the way to Redis are taken to differ from Redis's clock by whole steps of this. */
const CLOCK_STEP_MS = 1000;
/** How far ahead of its window a deck may be. */
const AHEAD_MS = 2000;

/**
 * Joins both sides of a proxy's window. A single half is dropped, because the other side would seem to have had no
 * requests.
 */
export class WindowPairing {
  readonly #halves: Map<string, Half>;

  /** @param halves those that wait for the other one, of another pairing */
  constructor(halves: readonly (readonly [string, Half])[] = []) {
    this.#halves = new Map(halves);
  }

  get halves(): [string, Half][] {
    return [...this.#halves];
  }

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
      weight: canary.weight,
      prod: { dealt: prod.dealt ?? 0, routes: toMap(prod.routes) },
      canary: { dealt: canary.dealt ?? 0, routes: toMap(canary.routes) },
      alone: toMap(prod.routesAlone ?? {}),
      decks: readDecks(canary, atMs - window.at),
      hostDecks: readHostDecks(prod, atMs - window.at),
    };
  }
}

function readDecks(
  { decks, deckRoutes = [] }: TrafficWindow,
  aheadMs: number,
): WindowPair["decks"] {
  if (decks === undefined) return undefined;
  const decoded = decodeDecks({ decks, deckRoutes });
  if (typeof decoded === "string") return decoded;
  return shift(decoded, aheadMs);
}

function readHostDecks(
  { hostDecks }: TrafficWindow,
  aheadMs: number,
): WindowPair["hostDecks"] {
  const decks = hostDecks && decodeHostDecks(hostDecks);
  return decks && { hosts: hostDecks.hosts, decks: shift(decks, aheadMs) };
}

function shift<Deck extends DealtDeck>(decks: Deck[], aheadMs: number): Deck[] {
  const steps = Math.round(aheadMs / CLOCK_STEP_MS);
  const slots = (steps * CLOCK_STEP_MS) / SLOT_MS;
  return decks.map((deck) => ({ ...deck, slot: deck.slot + slots }));
}

function toMap(routes: Record<string, RouteWindow>): Map<string, RouteWindow> {
  return new Map(Object.entries(routes));
}

/** Whether a split with this share sends requests to both sides. */
export function isDealing(share: number): boolean {
  return share > 0 && share < 1;
}

/** Why figures that are well-formed each cannot be right together, or undefined. */
export function findFlaw(pair: WindowPair): string | undefined {
  const { proxy, atMs, share, decks } = pair;
  if (share === undefined) return "a proxy that does not report its split";
  if (decks === undefined && isDealing(share))
    return `${proxy} sends no decks: it is of another release of Serin`;
  const deckFlaw = findDeckFlaw(decks ?? [], atMs);
  if (deckFlaw !== undefined) return deckFlaw;
  for (const routes of [pair.prod.routes, pair.canary.routes, pair.alone])
    for (const window of routes.values()) {
      const flaw = findRouteFlaw(window);
      if (flaw !== undefined) return flaw;
    }
  return undefined;
}

function findDeckFlaw(
  decks: readonly DealtDeck[] | string,
  atMs: number,
): string | undefined {
  if (typeof decks === "string") return decks;
  let last = -Infinity;
  for (const { slot } of decks) {
    if (slot < last) return "decks whose slots go backwards";
    if (slot * SLOT_MS > atMs + AHEAD_MS) return "a deck from the future";
    last = slot;
  }
  return undefined;
}

function findRouteFlaw(window: RouteWindow): string | undefined {
  const { requests, errors, served, refused = {}, latency } = window;
  const add = (sum: number, count: number) => sum + count;
  const answers = Object.values(refused).reduce(add, errors + served);
  if (answers > requests) return `${answers} answers of ${requests} requests`;
  const measured = latency.map(([, count]) => count).reduce(add, 0);
  return measured > requests
    ? `${measured} latencies of ${requests} requests`
    : undefined;
}
