import { LatencyHistogram } from "../../../lib/telemetry/latency-histogram.js";
import {
  SIDES,
  type RouteWindow,
  type Side,
} from "../../../lib/telemetry/telemetry.js";
import { createByComponent, type ByComponent } from "./evidence/deck-bets.js";
import { Refusals } from "./evidence/not-served.js";
import {
  addSums,
  createGuardSums,
  SUMS,
  type GuardSums,
} from "./evidence/stall-guard.js";
import type { EpochSums } from "./open-epochs.js";
import {
  LIVE_RESTARTS,
  RESTART_CANARY_REQUESTS,
  RESTART_MS,
} from "./starts.js";
import type { StoredStretch, StoredTest } from "./stored-test.js";
import type { TestedSide } from "./verdict.js";
import type { WindowPair } from "./window-pair.js";

type BySide = Record<Side, number>;
type StoredStretches = Pick<
  StoredTest,
  "whole" | "restarts" | "restartsBegun" | "weight" | "hasGrown"
>;

/** Counts of all requests while the canary's share was the same. */
export interface SplitCounts {
  share: number;
  dealt: BySide;
  requests: BySide;
  errors: BySide;
}

/** What a route's requests showed after the warm-up. */
export interface RouteSums {
  prod: LatencyHistogram;
  canary: LatencyHistogram;
  /** Of bets on each request by itself: they tell which route is slower. */
  winnings: ByComponent;
}

/** The counts of a test since a moment. */
export class Stretch {
  /** 0 for the whole test, then 1, 2, … */
  readonly number: number;
  readonly startedAt: number;
  /** The first epoch whose decks count. */
  readonly firstEpoch: number;
  readonly routes = new Map<string, RouteSums>();
  readonly #splits = new Map<number, SplitCounts>();
  #refusals = new Refusals();
  /** Of the epochs that are over. */
  closed: GuardSums = createGuardSums();
  /** The canary's requests in decks. */
  canaryInDecks = 0;

  constructor(number: number, startedAt: number, firstEpoch: number) {
    this.number = number;
    this.startedAt = startedAt;
    this.firstEpoch = firstEpoch;
  }

  get splits(): readonly SplitCounts[] {
    return [...this.#splits.values()];
  }

  get refusals(): Refusals {
    return this.#refusals;
  }

  total(side: Side): TestedSide {
    const sum = { requests: 0, errors: 0 };
    for (const { requests, errors } of this.#splits.values()) {
      sum.requests += requests[side];
      sum.errors += errors[side];
    }
    return sum;
  }

  hasShare(share: number): boolean {
    return this.#splits.has(share);
  }

  /** Errors and answers that do not serve, on all routes. */
  count(pair: Pick<WindowPair, Side>, share: number): void {
    const split = this.#splitOf(share);
    for (const side of SIDES) {
      const { dealt, routes } = pair[side];
      split.dealt[side] += dealt;
      for (const { requests, errors } of routes.values()) {
        split.requests[side] += requests;
        split.errors[side] += errors;
      }
      this.#refusals.add(share, side, routes);
    }
  }

  countLatency(side: Side, routes: ReadonlyMap<string, RouteWindow>): void {
    for (const [name, { latency }] of routes)
      this.routeOf(name)[side].merge(latency);
  }

  routeOf(name: string): RouteSums {
    const known = this.routes.get(name);
    if (known !== undefined) return known;
    const route = {
      prod: new LatencyHistogram(),
      canary: new LatencyHistogram(),
      winnings: createByComponent(),
    };
    this.routes.set(name, route);
    return route;
  }

  /** The sums with those of open epochs. */
  sumWith(open: readonly { number: number; sums: GuardSums }[]): GuardSums {
    const all = createGuardSums();
    addSums(all, this.closed);
    for (const { number, sums } of open)
      if (number >= this.firstEpoch) addSums(all, sums);
    return all;
  }

  toStored(closed = this.closed): StoredStretch {
    const { number, startedAt, firstEpoch, canaryInDecks } = this;
    return {
      ...{ number, startedAt, firstEpoch, canaryInDecks },
      routes: [...this.routes].map(([name, { prod, canary, winnings }]) => [
        name,
        { prod: prod.toSparse(), canary: canary.toSparse() },
        [...winnings],
      ]),
      splits: structuredClone(this.splits) as SplitCounts[],
      refusals: this.#refusals.toStored(),
      closed: Object.fromEntries(
        SUMS.map((name) => [name, [...closed[name]]]),
      ) as StoredStretch["closed"],
    };
  }

  static restore(stored: StoredStretch): Stretch {
    const { number, startedAt, firstEpoch } = stored;
    const stretch = new Stretch(number, startedAt, firstEpoch);
    stretch.canaryInDecks = stored.canaryInDecks;
    for (const [name, sides, winnings] of stored.routes) {
      const route = stretch.routeOf(name);
      for (const side of SIDES) route[side].merge(sides[side]);
      route.winnings.set(winnings);
    }
    stretch.#refusals = new Refusals(stored.refusals);
    for (const split of stored.splits)
      stretch.#splits.set(split.share, structuredClone(split));
    for (const name of SUMS) stretch.closed[name].set(stored.closed[name]);
    return stretch;
  }

  #splitOf(share: number): SplitCounts {
    const known = this.#splits.get(share);
    if (known !== undefined) return known;
    const none = (): BySide => ({ prod: 0, canary: 0 });
    const split = { share, dealt: none(), requests: none(), errors: none() };
    this.#splits.set(share, split);
    return split;
  }
}

/** The whole test, and the latest restarts. */
export class Stretches {
  #whole: Stretch;
  #restarts: Stretch[] = [];
  #begun = 0;
  /** The largest so far, in percent. */
  #weight: number | null = null;
  #hasGrown = false;

  constructor(startedAt: number) {
    this.#whole = new Stretch(0, startedAt, 0);
  }

  get whole(): Stretch {
    return this.#whole;
  }

  get restarts(): readonly Stretch[] {
    return this.#restarts;
  }

  /** How many restarts there were. */
  get begun(): number {
    return this.#begun;
  }

  get all(): readonly Stretch[] {
    return [this.#whole, ...this.#restarts];
  }

  /** A fault that shows only under more load must not first win back what was lost at a smaller weight. */
  noteWeight(weight: number | undefined): void {
    if (weight === undefined || weight <= (this.#weight ?? -1)) return;
    this.#hasGrown = this.#weight !== null && this.#weight > 0;
    this.#weight = weight;
  }

  /** Called between two epochs, so that all stretches share the open ones. */
  turnEpoch(atMs: number, epoch: { number: number; over: EpochSums[] }): void {
    for (const { number, sums } of epoch.over)
      for (const stretch of this.all)
        if (number >= stretch.firstEpoch) addSums(stretch.closed, sums);
    const last = this.#restarts.at(-1) ?? this.#whole;
    const isOld =
      atMs - last.startedAt >= RESTART_MS &&
      last.total("canary").requests >= RESTART_CANARY_REQUESTS;
    if (!isOld && !this.#hasGrown) return;
    this.#hasGrown = false;
    this.#begun += 1;
    const restart = new Stretch(this.#begun, atMs, epoch.number);
    this.#restarts = [...this.#restarts, restart].slice(-LIVE_RESTARTS);
  }

  /** Earlier stored ones, with what has been closed since. */
  closeEarlier({ whole, restarts }: StoredStretches) {
    const close = (earlier: StoredStretch) => {
      const now = this.all.find(({ number }) => number === earlier.number);
      const { closed } = (now ?? Stretch.restore(earlier)).toStored();
      return { ...earlier, closed };
    };
    return { whole: close(whole), restarts: restarts.map(close) };
  }

  toStored(store: (stretch: Stretch) => StoredStretch): StoredStretches {
    return {
      whole: store(this.#whole),
      restarts: this.#restarts.map(store),
      restartsBegun: this.#begun,
      weight: this.#weight,
      hasGrown: this.#hasGrown,
    };
  }

  static restore(stored: StoredStretches): Stretches {
    const stretches = new Stretches(stored.whole.startedAt);
    stretches.#whole = Stretch.restore(stored.whole);
    stretches.#restarts = stored.restarts.map((one) => Stretch.restore(one));
    stretches.#begun = stored.restartsBegun;
    stretches.#weight = stored.weight;
    stretches.#hasGrown = stored.hasGrown;
    return stretches;
  }
}
