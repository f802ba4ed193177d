import {
  SIDES,
  type Side,
  type RouteWindow,
} from "../../../lib/telemetry/telemetry.js";
import {
  createGuardSums,
  withBlock,
  type Block,
  type GuardSums,
} from "./evidence/burst-guard.js";
import { Refusals } from "./evidence/not-served.js";
import type { RouteCounts } from "./route-counts.js";
import type { StoredStretch } from "./stored-test.js";
import type { WindowPair } from "./window-pair.js";

type BySide = Record<Side, number>;

/** Counts while the canary's share was the same. Requests and errors are of the compared routes only. */
export interface SplitCounts {
  share: number;
  dealt: BySide;
  requests: BySide;
  errors: BySide;
}

/** The counts of a test since a moment. */
export class Stretch {
  /** 0 for the whole test, then 1, 2, … */
  readonly number: number;
  readonly startedAt: number;
  readonly routes = new Map<string, RouteCounts>();
  readonly #splits = new Map<number, SplitCounts>();
  #guard: GuardSums = createGuardSums();
  #refusals = new Refusals();

  constructor(number: number, startedAt: number) {
    this.number = number;
    this.startedAt = startedAt;
  }

  /** By the canary's share. */
  get splits(): readonly SplitCounts[] {
    return [...this.#splits.values()];
  }

  get guard(): GuardSums {
    return this.#guard;
  }

  get refusals(): Refusals {
    return this.#refusals;
  }

  get canaryRequests(): number {
    let sum = 0;
    for (const { requests } of this.#splits.values()) sum += requests.canary;
    return sum;
  }

  hasShare(share: number): boolean {
    return this.#splits.has(share);
  }

  count(pair: Pick<WindowPair, Side>, share: number): void {
    const split = this.#splitOf(share);
    for (const side of SIDES) {
      split.dealt[side] += pair[side].dealt;
      for (const [name, window] of pair[side].routes)
        this.#countRoute(name, window, { split, side });
    }
  }

  endBlock(block: Block): void {
    this.#guard = withBlock(this.#guard, block);
  }

  toStored(): StoredStretch {
    return {
      number: this.number,
      startedAt: this.startedAt,
      routes: [...this.routes].map(([name, route]) => [name, route.toStored()]),
      splits: structuredClone(this.splits) as SplitCounts[],
      guard: this.#guard,
      refusals: this.#refusals.toStored(),
    };
  }

  /** @param createRoute without any request */
  static restore(
    stored: StoredStretch,
    createRoute: (name: string) => RouteCounts | undefined,
  ): Stretch {
    const stretch = new Stretch(stored.number, stored.startedAt);
    for (const [name, counts] of stored.routes) {
      const route = createRoute(name);
      if (route === undefined) continue;
      route.addStored(counts);
      stretch.routes.set(name, route);
    }
    stretch.#refusals = new Refusals(stored.refusals);
    for (const split of stored.splits)
      stretch.#splits.set(split.share, structuredClone(split));
    stretch.#guard = stored.guard;
    return stretch;
  }

  #countRoute(
    name: string,
    { requests, errors, latency }: RouteWindow,
    { split, side }: { split: SplitCounts; side: Side },
  ): void {
    const route = this.routes.get(name);
    if (route === undefined) return;
    split.requests[side] += requests;
    split.errors[side] += errors;
    route.add(split.share, side, latency);
  }

  #splitOf(share: number): SplitCounts {
    const known = this.#splits.get(share);
    if (known !== undefined) return known;
    const none = (): BySide => ({ prod: 0, canary: 0 });
    const split = {
      share,
      dealt: none(),
      requests: none(),
      errors: none(),
    };
    this.#splits.set(share, split);
    return split;
  }
}
