import { SIDES } from "../../../lib/telemetry/telemetry.js";
import type { Baseline } from "./baseline.js";
import { BUCKETS } from "./evidence/buckets.js";
import { BLOCK_MS } from "./evidence/burst-guard.js";
import { judgeTest } from "./judge-test.js";
import { OpenBlock } from "./open-block.js";
import { RouteCounts } from "./route-counts.js";
import { RoutePlaces } from "./route-places.js";
import { fromSparse, toSparse } from "./sparse.js";
import {
  LIVE_RESTARTS,
  RESTART_CANARY_REQUESTS,
  RESTART_MS,
} from "./starts.js";
import type { StoredTest } from "./stored-test.js";
import { Stretch } from "./stretch.js";
import { createCanaryBuckets, type Tolerance } from "./tolerance.js";
import { WARM_UP_CANARY_REQUESTS, WARM_UP_MS } from "./requests-needed.js";
import type { Verdict } from "./verdict.js";
import { findFlaw, isDealing, type WindowPair } from "./window-pair.js";

const MAX_SPLITS = 8;
/** How long a malformed window suspends the verdict. */
const SUSPENSION_MS = 10_000;
const ONE_SIDED_MS = 10_000;
const LONGEST_GAP_MS = 600_000;
/** Windows of one proxy with the same time: those of five seconds. */
const MOST_AT_ONE_TIME = 10;

/**
 * If a window is malformed, it is not counted and suspends the verdict for ten seconds: bad input never stops a canary.
 *
 * Counts the requests of one canary release and of prod, and compares them.
 *
 * warming up → (30 s or 50 canary requests) → comparing each route, once prod has enough requests on it.
 */
export class ReleaseTest {
  readonly startedAt: number;
  /** The number of earlier tries of this release. */
  readonly attempt: number;
  readonly tolerance: Tolerance;
  readonly #canaryBuckets: Uint8Array;
  readonly #places = new RoutePlaces();
  #whole: Stretch;
  /** The latest ones. */
  #restarts: Stretch[] = [];
  #restartsBegun = 0;
  #block: OpenBlock | undefined;
  #warmUp = { since: null as number | null, canaryRequests: 0, isOver: false };
  /** The time of the last window, and the further windows of each proxy with the same time. */
  #lastAt: number | null = null;
  readonly #sameTime = new Map<string, number>();
  /** Since when all windows are of a split that sends one side nothing. */
  #oneSidedSince: number | null = null;
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
    this.#whole = new Stretch(0, options.startedAt);
  }

  /** @param baseline learns from the pair, and decides which routes can be compared from then on */
  observe(heard: WindowPair, baseline: Baseline): void {
    if (!this.#isSound(heard)) return;
    const pair = this.#places.assign(heard);
    const { atMs, share, prod, alone } = pair;
    this.#lastAt = Math.max(atMs, this.#lastAt ?? atMs);
    this.#turnBlock(atMs);
    if (share !== undefined && isDealing(share)) {
      this.#oneSidedSince = null;
      this.#count(pair, share);
    } else this.#oneSidedSince ??= atMs;
    baseline.add(prod.routes, atMs);
    baseline.add(alone, atMs);
    // Last, because new dictionaries may include prod's requests of this window, which must not be counted then.
    if (this.#warmUp.isOver) this.#admitRoutes(baseline);
  }

  /** Whether there were canary requests. */
  get wasTried(): boolean {
    return (
      this.#warmUp.canaryRequests > 0 ||
      this.#whole.splits.some(({ dealt }) => dealt.canary > 0)
    );
  }

  /** Whether the splits of all proxies have sent everything to one side for some time. */
  get isOneSided(): boolean {
    const lastAt = this.#lastAt ?? this.startedAt;
    return (
      this.#oneSidedSince !== null &&
      lastAt - this.#oneSidedSince >= ONE_SIDED_MS
    );
  }

  /** Suspends the verdict for ten seconds, because input was not counted. */
  suspend(because: string, atMs: number): void {
    const until = atMs + SUSPENSION_MS;
    this.#flaw = { because: `not counted: ${because}`, until };
  }

  /** @param alpha the share of healthy releases that may be stopped */
  judge(alpha: number, baseline: Pick<Baseline, "warmUpOf">): Verdict {
    const verdict = judgeTest(
      {
        attempt: this.attempt,
        seen: this.#places.names,
        whole: this.#whole,
        restarts: this.#restarts,
        restartsBegun: this.#restartsBegun,
        block: this.#block,
        warmUp: this.#warmUp,
        flaw: this.#flawNow(),
        isOneSided: this.isOneSided,
        wasWorse: this.#isWorse,
      },
      { alpha, baseline },
    );
    // The guarantee is about the first time that the evidence suffices, so the outcome stays.
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
      seen: this.#places.names,
      warmUps: [...this.#whole.routes].map(([name, { warmUp }]) => [
        name,
        toSparse(warmUp),
      ]),
      whole: this.#whole.toStored(),
      restarts: this.#restarts.map((stretch) => stretch.toStored()),
      restartsBegun: this.#restartsBegun,
      block: this.#block?.toStored() ?? null,
      oneSidedSince: this.#oneSidedSince,
      flaw: this.#flaw,
      isWorse: this.#isWorse,
    };
  }

  static restore(stored: StoredTest): ReleaseTest {
    const test = new ReleaseTest(stored);
    test.#lastAt = stored.lastAt;
    test.#warmUp = { ...stored.warmUp };
    test.#places.restore(stored.seen, stored.lastAt ?? stored.startedAt);
    const warmUps = new Map(stored.warmUps);
    test.#whole = Stretch.restore(
      stored.whole,
      (name) =>
        new RouteCounts(
          fromSparse(warmUps.get(name) ?? [], BUCKETS),
          test.#canaryBuckets,
        ),
    );
    test.#restarts = stored.restarts.map((restart) =>
      Stretch.restore(restart, (name) =>
        test.#whole.routes.get(name)?.startAgain(),
      ),
    );
    test.#restartsBegun = stored.restartsBegun;
    if (stored.block !== null) test.#block = OpenBlock.restore(stored.block);
    test.#oneSidedSince = stored.oneSidedSince;
    test.#flaw = stored.flaw;
    test.#isWorse = stored.isWorse;
    return test;
  }

  #isSound(pair: WindowPair): boolean {
    const flaw = findFlaw(pair) ?? this.#findJump(pair);
    if (flaw === undefined) return true;
    if (Number.isFinite(pair.atMs)) {
      this.#lastAt = Math.max(pair.atMs, this.#lastAt ?? pair.atMs);
      // The block continues: a clock jump must not divide a burst in two.
      if (this.#block !== undefined)
        this.#block.index = Math.floor(this.#lastAt / BLOCK_MS);
    }
    this.suspend(flaw, this.#lastAt ?? this.startedAt);
    return false;
  }

  /**
   * After Redis's clock was set back, all entries get the last one's time until it has caught up, and their blocks are
   * unknown.
   */
  #findJump({ proxy, atMs }: WindowPair): string | undefined {
    if (this.#lastAt === null) return undefined;
    const step = atMs - this.#lastAt;
    if (step > 0) this.#sameTime.clear();
    const more = (this.#sameTime.get(proxy) ?? -1) + 1;
    this.#sameTime.set(proxy, more);
    if (more > MOST_AT_ONE_TIME)
      return "Redis’s clock was set back, or stands still";
    if (step > LONGEST_GAP_MS)
      return `the clock jumped, or no window arrived for ${Math.round(step / 1000)} s`;
    return undefined;
  }

  #flawNow(): string | null {
    const { until = 0, because = null } = this.#flaw ?? {};
    return (this.#lastAt ?? this.startedAt) < until ? because : null;
  }

  get #stretches(): readonly Stretch[] {
    return [this.#whole, ...this.#restarts];
  }

  #turnBlock(atMs: number): void {
    const index = Math.floor(atMs / BLOCK_MS);
    const block = this.#block;
    if (block !== undefined && index <= block.index) return;
    if (block !== undefined && !block.isEmpty) {
      const sum = block.sum(this.#whole.routes);
      for (const stretch of this.#stretches) stretch.endBlock(sum);
    }
    this.#block = new OpenBlock(index);
    this.#places.vacate(atMs, (name) => this.#whole.routes.has(name));
    this.#restartWhenDue(atMs);
  }

  /** Called between two blocks, so that all stretches share the open one. */
  #restartWhenDue(atMs: number): void {
    const last = this.#restarts.at(-1) ?? this.#whole;
    if (
      atMs - last.startedAt < RESTART_MS ||
      last.canaryRequests < RESTART_CANARY_REQUESTS
    )
      return;
    this.#restartsBegun += 1;
    const restart = new Stretch(this.#restartsBegun, atMs);
    for (const [name, route] of this.#whole.routes)
      restart.routes.set(name, route.startAgain());
    this.#restarts = [...this.#restarts, restart].slice(-LIVE_RESTARTS);
  }

  #count(pair: WindowPair, share: number): void {
    // From the first request, and on each route: prod's own rate is all that they are compared with.
    for (const { refusals } of this.#stretches)
      for (const side of SIDES) refusals.add(share, side, pair[side].routes);
    if (!this.#warmUp.isOver) {
      this.#warm(pair);
      return;
    }
    const { splits, routes } = this.#whole;
    if (!this.#whole.hasShare(share) && splits.length >= MAX_SPLITS) return;
    for (const stretch of this.#stretches) stretch.count(pair, share);
    for (const side of SIDES)
      for (const [name, { latency }] of pair[side].routes) {
        const route = routes.get(name);
        if (route !== undefined)
          this.#block?.add(name, route, { share, side, latency });
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
    const { routes } = this.#whole;
    for (const name of this.#places.names) {
      if (routes.has(name)) continue;
      const warmUp = baseline.warmUpOf(name);
      if ("because" in warmUp) continue;
      const route = new RouteCounts(warmUp, this.#canaryBuckets);
      routes.set(name, route);
      for (const restart of this.#restarts)
        restart.routes.set(name, route.startAgain());
    }
  }
}

function requestsOf({ routes }: WindowPair["canary"]): number {
  let sum = 0;
  for (const { requests } of routes.values()) sum += requests;
  return sum;
}
