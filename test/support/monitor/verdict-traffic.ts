import { Baseline } from "../../../apps/monitor/verdict/baseline/baseline.js";
import { ReleaseTest } from "../../../apps/monitor/verdict/release-test.js";
import type { TestRules } from "../../../apps/monitor/verdict/stored-test.js";
import type { Verdict } from "../../../apps/monitor/verdict/verdict.js";
import type { WindowPair } from "../../../apps/monitor/verdict/window-pair.js";
import {
  type RouteWindow,
  SIDES,
  type Side,
} from "../../../lib/telemetry/telemetry.js";
import { Split } from "../../../apps/proxy/dealing/split.js";
import {
  deckBucketOf,
  MAX_DECKS,
  SLOT_MS,
  type DealtDeck,
} from "../../../lib/telemetry/decks.js";
import { createSeededRandom } from "../seeded-random.js";
import { histogramOf } from "./telemetry.js";

export const ALPHA = 0.01;
/** The start of an epoch. */
export const START = 1_700_000_010_000;
/** Without a time of warm-up. */
export const RULES = {
  tolerance: { ratio: 0.1, ms: 5 },
  stallMs: 5000,
  warmUpMs: 0,
};

/** The outcome of a request. */
export interface Answer {
  latencyMs: number;
  isError?: boolean;
  /** Whether the status is 404. */
  isUnknown?: boolean;
}

export type Respond = (
  side: Side,
  route: string,
  random: () => number,
) => Answer;

export function routeWindow(
  answers: readonly Answer[],
  fields: Partial<RouteWindow> = {},
): RouteWindow {
  const errors = answers.filter(({ isError }) => isError).length;
  const unknown = answers.filter(({ isUnknown }) => isUnknown).length;
  return {
    requests: answers.length,
    errors,
    served: answers.length - errors - unknown,
    ...(unknown > 0 && { refused: { 404: unknown } }),
    latency: histogramOf(answers.map(({ latencyMs }) => latencyMs)),
    ...fields,
  };
}

export function windowPair(
  atMs: number,
  sides: Partial<Record<Side, Record<string, RouteWindow>>> = {},
  fields: Partial<WindowPair> = {},
): WindowPair {
  const side = (routes: Record<string, RouteWindow> = {}) => ({
    dealt: Object.values(routes).reduce(
      (sum, route) => sum + route.requests,
      0,
    ),
    routes: new Map(Object.entries(routes)),
  });
  return {
    proxy: "proxy@edge1:8080",
    atMs,
    share: 0.25,
    prod: side(sides.prod),
    canary: side(sides.canary),
    alone: new Map(),
    decks: [],
    ...fields,
  };
}

interface Dealt extends Answer {
  side: Side;
  route: string;
  atMs: number;
}

/** Requests that were dealt in one go, in any order; undefined if a proxy would drop the deck. */
export function deckOf(requests: readonly Dealt[]): DealtDeck | undefined {
  if (requests.some(({ isError }) => isError)) return undefined;
  const of = (side: Side) => requests.filter((one) => one.side === side);
  const [canary, prod] = [of("canary"), of("prod")];
  const single = canary.length > 1 && prod.length === 1 ? prod : canary;
  return {
    slot: Math.floor(single[0]!.atMs / SLOT_MS),
    np: prod.length,
    nc: canary.length,
    requests: [...canary, ...prod].map(({ route, latencyMs }) => [
      route,
      deckBucketOf(latencyMs),
    ]),
  };
}

/** Feeds a sequential test windows of half a second with 50 requests each, 3:1, with its own clock and responses. */
export class TestedRelease {
  readonly baseline = new Baseline();
  atMs = START;
  test = this.startTest();
  share = 0.25;
  /** Of another deck than 3:1 or 1:1. */
  ratio: { prod: number; canary: number } | undefined;
  requestsPerWindow = 50;
  routes = ["GET /get"];
  respond: Respond = healthy;
  readonly #random: () => number;
  #split: { share: number; split: Split } | undefined;
  #deck: Dealt[] = [];

  constructor(seed: number) {
    this.#random = createSeededRandom(seed);
  }

  /** Of a release from now on. */
  startTest(rules: Partial<TestRules> = {}): ReleaseTest {
    return new ReleaseTest({
      startedAt: this.atMs,
      attempt: 0,
      rules: { ...RULES, ...rules },
    });
  }

  /** Feeds `count` windows. */
  hear(windows: number): void {
    for (let i = 0; i < windows; i++) {
      this.atMs += 500;
      this.test.observe(this.createPair(), this.baseline);
    }
  }

  createPair(): WindowPair {
    const random = this.#random;
    const split = this.#splitNow();
    const answers: Record<Side, Record<string, Answer[]>> = {
      prod: {},
      canary: {},
    };
    const decks: DealtDeck[] = [];
    for (let i = 0; i < this.requestsPerWindow; i++) {
      if (split.isAtStart) this.#deck = [];
      const side = split.pick();
      const route = this.routes[Math.floor(random() * this.routes.length)]!;
      const answer = this.respond(side, route, random);
      (answers[side][route] ??= []).push(answer);
      const atMs = this.atMs - 500 + (500 * i) / this.requestsPerWindow;
      this.#deck.push({ ...answer, side, route, atMs });
      const deck = split.isAtStart ? deckOf(this.#deck) : undefined;
      if (deck && decks.length < MAX_DECKS) decks.push(deck);
    }
    decks.sort((one, other) => one.slot - other.slot);
    const sides = Object.fromEntries(
      SIDES.map((side) => [
        side,
        Object.fromEntries(
          Object.entries(answers[side]).map(([route, list]) => [
            route,
            routeWindow(list),
          ]),
        ),
      ]),
    );
    return windowPair(this.atMs, sides, { share: this.share, decks });
  }

  #splitNow(): Split {
    const { share } = this;
    if (this.#split?.share !== share) {
      const ratio =
        this.ratio ??
        (share === 0.5 ? { prod: 1, canary: 1 } : { prod: 3, canary: 1 });
      this.#split = { share, split: new Split(ratio, this.#random) };
    }
    return this.#split.split;
  }

  judge(): Verdict {
    return this.test.judge(ALPHA, this.baseline);
  }

  /** Feeds windows until the verdict has this outcome, and returns it. */
  until(outcome: Verdict["outcome"], windows = 600): Verdict {
    for (let i = 0; i < windows; i++) {
      this.hear(1);
      const verdict = this.judge();
      if (verdict.outcome === outcome) return verdict;
    }
    throw new Error(
      `not ${outcome} after ${windows} windows: ${JSON.stringify(this.judge())}`,
    );
  }
}

/** Lognormal around 100 ms on both sides. */
export function healthy(
  _side: Side,
  _route: string,
  random: () => number,
): Answer {
  return { latencyMs: 100 * Math.exp(0.4 * normal(random)) };
}

/** The same, but slower on the canary. */
export function slowerBy(factor: number): Respond {
  return (side, route, random) => {
    const { latencyMs } = healthy(side, route, random);
    return { latencyMs: side === "canary" ? latencyMs * factor : latencyMs };
  };
}

/** Box–Muller transform. */
function normal(random: () => number): number {
  return (
    Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  );
}
