import type { WindowPair } from "../../apps/monitor/verdict/window-pair.js";
import type { DealtDeck } from "../../lib/telemetry/decks.js";
import { SIDES, type Side } from "../../lib/telemetry/telemetry.js";
import {
  deckOf,
  routeWindow,
  windowPair,
} from "../../test/support/monitor/verdict-traffic.js";
import type { SimulatedRequest } from "./traffic.js";

/** A deck is sent when all of its requests are answered, or after as long. */
const MOST_SECONDS = 10;

interface Window {
  /** Those that began in it. */
  dealt: Record<Side, number>;
  requests: SimulatedRequest[];
  decks: DealtDeck[];
}

/** What the proxy sends: a request, and a deck, are in the window in which they end. */
export class Windows {
  readonly #startMs: number;
  readonly #seconds: number;
  readonly #due = new Map<number, Window>();
  #deck: SimulatedRequest[] = [];

  constructor(startMs: number, seconds: number) {
    this.#startMs = startMs;
    this.#seconds = seconds;
  }

  hear(request: SimulatedRequest): void {
    this.#dueAt(request.at).dealt[request.side] += 1;
    this.#dueAt(endOf(request)).requests.push(request);
    this.#deck.push(request);
    if (!request.isLast) return;
    const deck = deckOf(
      this.#deck.map((one) => ({ ...one, atMs: this.#toMs(one.at) })),
    );
    const end = Math.max(...this.#deck.map(endOf));
    if (deck) this.#dueAt(end).decks.push(deck);
    this.#deck = [];
  }

  dropOpenDeck(): void {
    this.#deck = [];
  }

  /** @param at the window's first second */
  take(at: number, share: number): WindowPair {
    const window = this.#dueAt(at);
    this.#due.delete(this.#windowAt(at));
    const of = (side: Side) => {
      const own = window.requests.filter((one) => one.side === side);
      const routes = new Set(own.map(({ route }) => route));
      return Object.fromEntries(
        [...routes].map((route) => [
          route,
          routeWindow(own.filter((one) => one.route === route)),
        ]),
      );
    };
    const sides = Object.fromEntries(SIDES.map((side) => [side, of(side)]));
    const decks = window.decks.sort((one, other) => one.slot - other.slot);
    const endMs = this.#toMs(at + this.#seconds);
    const weight = 100 * share;
    const pair = windowPair(endMs, sides, { share, weight, decks });
    for (const side of SIDES) pair[side].dealt = window.dealt[side];
    return pair;
  }

  #toMs(at: number): number {
    return this.#startMs + 1000 * at;
  }

  #windowAt(at: number): number {
    return Math.floor(at / this.#seconds);
  }

  #dueAt(at: number): Window {
    const known = this.#due.get(this.#windowAt(at));
    if (known !== undefined) return known;
    const dealt = { prod: 0, canary: 0 };
    const window: Window = { dealt, requests: [], decks: [] };
    this.#due.set(this.#windowAt(at), window);
    return window;
  }
}

function endOf({ at, latencyMs }: SimulatedRequest): number {
  return at + Math.min(latencyMs / 1000, MOST_SECONDS);
}
