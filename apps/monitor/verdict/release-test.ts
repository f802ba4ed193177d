import { SIDES, type Side } from "../../../lib/telemetry.js";
import type { Baseline } from "./baseline.js";
import {
  BLOCK_MS,
  createGuardSums,
  withBlock,
  type GuardSums,
} from "./burst-guard.js";
import type { SplitCounts } from "./evidence.js";
import { judgeTest } from "./judge-test.js";
import { OpenBlock } from "./open-block.js";
import { RouteCounts } from "./route-counts.js";
import { restoreGuard, storeGuard, type StoredTest } from "./stored-test.js";
import { createCanaryBuckets, type Tolerance } from "./tolerance.js";
import { WARM_UP_CANARY_REQUESTS, WARM_UP_MS } from "./warm-up.js";
import type { Verdict } from "./verdict.js";
import { findFlaw, isDealing, type WindowPair } from "./window-pair.js";

const MAX_ROUTES = 51;
const MAX_SPLITS = 8;
/** After a window that cannot be right, for so long there is no verdict. */
const SUSPENSION_MS = 10_000;
const LONGEST_GAP_MS = 600_000;

/**
 * The comparison of one canary release with prod: counts, until there is a verdict. It sees requests only; what their
 * windows say is checked first. A window that cannot be right is not counted and suspends the verdict for ten seconds:
 * from bad input nothing follows, least of all a stop.
 *
 * warming up → (30 s or 50 canary requests) → comparing, each route from when enough is known of prod on it.
 */
export class ReleaseTest {
  readonly startedAt: number;
  /** How often this release has been tried before. */
  readonly attempt: number;
  readonly tolerance: Tolerance;
  readonly #canaryBuckets: Uint8Array;
  readonly #routes = new Map<string, RouteCounts>();
  /** Names of routes that have had requests. */
  readonly #seen = new Set<string>();
  readonly #splits = new Map<number, SplitCounts>();
  #guard: GuardSums = createGuardSums();
  #block: OpenBlock | undefined;
  #warmUp = { since: null as number | null, canaryRequests: 0, isOver: false };
  /** When the last window was, by its own time. */
  #lastAt: number | null = null;
  #flaw: { because: string; until: number } | null = null;
  #isWorse = false;

  constructor(options: {
    startedAt: number;
    attempt: number;
    tolerance: Tolerance;
  }) {
    this.startedAt = options.startedAt;
    this.attempt = options.attempt;
    this.tolerance = options.tolerance;
    this.#canaryBuckets = createCanaryBuckets(options.tolerance);
  }

  /** @param baseline learns of prod from the pair as well, and tells which routes can be compared from then on */
  observe(pair: WindowPair, baseline: Baseline): void {
    if (!this.#isSound(pair)) return;
    const { atMs, share, prod, alone } = pair;
    this.#lastAt = atMs;
    this.#turnBlock(Math.floor(atMs / BLOCK_MS));
    if (share !== undefined && isDealing(share)) this.#count(pair, share);
    baseline.add(prod.routes, atMs);
    baseline.add(alone, atMs);
    // What prod took in this window may be known to the dictionaries, so it must not be counted: they come last.
    if (this.#warmUp.isOver) this.#admitRoutes(baseline);
  }

  /** @param alpha of how many healthy releases one may be stopped */
  judge(alpha: number, baseline: Baseline): Verdict {
    const verdict = judgeTest(
      {
        attempt: this.attempt,
        routes: this.#routes,
        seen: this.#seen,
        splits: [...this.#splits.values()],
        guard: this.#guard,
        block: this.#block,
        warmUp: this.#warmUp,
        flaw: this.#flawNow(),
        wasWorse: this.#isWorse,
      },
      { alpha, baseline },
    );
    // The guarantee is for the first time that the evidence suffices: it is not taken back.
    this.#isWorse ||= verdict.outcome === "worse";
    return verdict;
  }

  toStored(): StoredTest {
    return {
      startedAt: this.startedAt,
      attempt: this.attempt,
      tolerance: this.tolerance,
      lastAt: this.#lastAt,
      warmUp: { ...this.#warmUp },
      seen: [...this.#seen],
      routes: [...this.#routes].map(([name, route]) => [
        name,
        route.toStored(),
      ]),
      splits: [...this.#splits.values()],
      guard: storeGuard(this.#guard),
      block: this.#block?.toStored() ?? null,
      flaw: this.#flaw,
      isWorse: this.#isWorse,
    };
  }

  static restore(stored: StoredTest): ReleaseTest {
    const test = new ReleaseTest(stored);
    test.#lastAt = stored.lastAt;
    test.#warmUp = { ...stored.warmUp };
    for (const name of stored.seen) test.#seen.add(name);
    for (const [name, route] of stored.routes)
      test.#routes.set(name, RouteCounts.restore(route, test.#canaryBuckets));
    for (const split of stored.splits)
      test.#splits.set(split.share, structuredClone(split));
    test.#guard = restoreGuard(stored.guard);
    if (stored.block !== null) test.#block = OpenBlock.restore(stored.block);
    test.#flaw = stored.flaw;
    test.#isWorse = stored.isWorse;
    return test;
  }

  #isSound(pair: WindowPair): boolean {
    const flaw = findFlaw(pair) ?? this.#findJump(pair.atMs);
    if (flaw === undefined) return true;
    if (Number.isFinite(pair.atMs)) {
      this.#lastAt = pair.atMs;
      // The block goes on: a clock that jumps must not make two of one burst.
      if (this.#block !== undefined)
        this.#block.index = Math.floor(pair.atMs / BLOCK_MS);
    }
    const since = this.#lastAt ?? this.startedAt;
    this.#flaw = {
      because: `not counted: ${flaw}`,
      until: since + SUSPENSION_MS,
    };
    return false;
  }

  #findJump(atMs: number): string | undefined {
    if (this.#lastAt === null) return undefined;
    const step = atMs - this.#lastAt;
    if (step < -BLOCK_MS)
      return `the clock went back by ${Math.round(-step / 1000)} s`;
    if (step > LONGEST_GAP_MS)
      return `the clock jumped, or nothing was heard for ${Math.round(step / 1000)} s`;
    return undefined;
  }

  #flawNow(): string | null {
    const { until = 0, because = null } = this.#flaw ?? {};
    return (this.#lastAt ?? this.startedAt) < until ? because : null;
  }

  #turnBlock(index: number): void {
    const block = this.#block;
    if (block !== undefined && index <= block.index) return;
    if (block !== undefined && !block.isEmpty)
      this.#guard = withBlock(this.#guard, block.sum(this.#routes));
    this.#block = new OpenBlock(index);
  }

  #count(pair: WindowPair, share: number): void {
    if (!this.#warmUp.isOver) {
      this.#warm(pair);
      return;
    }
    const split = this.#splitOf(share);
    if (split === undefined) return;
    for (const side of SIDES) {
      split.dealt[side] += pair[side].dealt;
      for (const [name, window] of pair[side].routes) {
        if (this.#seen.size < MAX_ROUTES) this.#seen.add(name);
        const route = this.#routes.get(name);
        if (route === undefined) continue;
        split.requests[side] += window.requests;
        split.errors[side] += window.errors;
        const requests = { share, side, latency: window.latency };
        route.add(share, side, window.latency);
        this.#block?.add(name, route, requests);
      }
    }
  }

  #warm({ atMs, canary, prod }: WindowPair): void {
    if (canary.dealt + prod.dealt === 0 && this.#warmUp.since === null) return;
    this.#warmUp.since ??= atMs;
    this.#warmUp.canaryRequests += requestsOf(canary);
    this.#warmUp.isOver =
      atMs - this.#warmUp.since >= WARM_UP_MS ||
      this.#warmUp.canaryRequests >= WARM_UP_CANARY_REQUESTS;
  }

  #admitRoutes(baseline: Baseline): void {
    for (const name of this.#seen) {
      if (this.#routes.has(name) || this.#routes.size >= MAX_ROUTES) continue;
      const warmUp = baseline.warmUpOf(name);
      if ("because" in warmUp) continue;
      this.#routes.set(name, new RouteCounts(warmUp, this.#canaryBuckets));
    }
  }

  #splitOf(share: number): SplitCounts | undefined {
    const known = this.#splits.get(share);
    if (known !== undefined || this.#splits.size >= MAX_SPLITS) return known;
    const none = (): Record<Side, number> => ({ prod: 0, canary: 0 });
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

function requestsOf({ routes }: WindowPair["canary"]): number {
  let sum = 0;
  for (const { requests } of routes.values()) sum += requests;
  return sum;
}
