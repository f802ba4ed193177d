import { SLOT_MS, type DealtDeck } from "../../../lib/telemetry/decks.js";
import type { Ratio } from "../../../lib/telemetry/split-ratio.js";
import { OTHER_ROUTES, SIDES } from "../../../lib/telemetry/telemetry.js";
import type { Baseline } from "./baseline/baseline.js";
import { addByRoute, betOn, ComparedRoute } from "./baseline/compared-route.js";
import { BUCKETS } from "./evidence/dictionary.js";
import { evidenceToStop } from "./evidence/total.js";
import { canaryPerSecond, judgeTest } from "./judge-test.js";
import { InputWatch } from "./input-watch.js";
import { epochAt, OpenEpochs } from "./open-epochs.js";
import { deckOfShare } from "./power/drawn-decks.js";
import { measurePower, type Power } from "./power/power.js";
import { RoutePlaces } from "./route-places.js";
import { fromSparse, toSparse } from "./baseline/sparse.js";
import type { StoredTest, TestRules } from "./stored-test.js";
import { Stretches, type Stretch } from "./stretch.js";
import type { Verdict } from "./verdict.js";
import { isDealing, type WindowPair } from "./window-pair.js";

/** More than the steps of a rollout. */
const MAX_SPLITS = 60;
const ONE_SIDED_MS = 10_000;
/** The canary requests of a warm-up, at least. */
export const WARM_UP_CANARY_REQUESTS = 50;

type Compared = Pick<Baseline, "add" | "warmUpOf" | "isRareAndServed">;

/**
 * If a window is malformed, it is not counted and suspends the verdict for ten seconds: bad input never stops a canary.
 *
 * Counts the requests of one canary release and of prod, and compares them.
 *
 * warming up (errors are judged) → (the time and the canary requests are over) → comparing the latency of decks, once prod
 * has enough requests on their routes.
 */
export class ReleaseTest {
  readonly startedAt: number;
  /** The number of earlier tries of this release. */
  readonly attempt: number;
  readonly rules: TestRules;
  readonly #places = new RoutePlaces();
  readonly #compared = new Map<string, ComparedRoute>();
  #stretches: Stretches;
  #epochs: OpenEpochs;
  /** Of the last deck. */
  #share: number | undefined;
  #ratio: Ratio | null = null;
  #power: { of: string; found: Power | undefined } | undefined;
  #warmUp: StoredTest["warmUp"] = {
    since: null,
    canaryRequests: 0,
    until: null,
  };
  #input: InputWatch;
  /** Since when all windows are of a split that sends one side nothing. */
  #oneSidedSince: number | null = null;
  #isWorse = false;

  constructor(options: {
    startedAt: number;
    attempt: number;
    rules: TestRules;
  }) {
    this.startedAt = options.startedAt;
    this.attempt = options.attempt;
    this.rules = options.rules;
    this.#input = new InputWatch(options.startedAt);
    this.#epochs = new OpenEpochs(options.rules.stallMs, -1);
    this.#stretches = new Stretches(options.startedAt);
  }

  /** @param baseline learns from the pair, and decides which routes can be compared from then on */
  observe(heard: WindowPair, baseline: Compared): void {
    if (!this.#input.isSound(heard)) return;
    const pair = this.#places.assign(heard);
    const { atMs, share, prod, alone } = pair;
    this.#stretches.noteWeight(pair.weight);
    if (this.isTurnedBy(atMs)) this.#turnEpoch(atMs);
    if (share !== undefined && isDealing(share)) {
      this.#oneSidedSince = null;
      this.#count(pair, share, baseline);
    } else this.#oneSidedSince ??= atMs;
    baseline.add(prod.routes, atMs);
    baseline.add(alone, atMs);
    // Last, because new dictionaries may include prod's requests of this window, which must not be counted then.
    if (this.#warmUp.until !== null) this.#admitRoutes(baseline);
  }

  /** Whether a window of this time begins an epoch. */
  isTurnedBy(atMs: number): boolean {
    return this.#epochs.isTurnedBy(atMs);
  }

  get isWorse(): boolean {
    return this.#isWorse;
  }

  get isWarm(): boolean {
    return this.#warmUp.until !== null;
  }

  /** Whether there were canary requests. */
  get wasTried(): boolean {
    return (
      this.#warmUp.canaryRequests > 0 ||
      this.#stretches.whole.splits.some(({ dealt }) => dealt.canary > 0)
    );
  }

  /** Whether the splits of all proxies have sent everything to one side for some time. */
  get isOneSided(): boolean {
    return (
      this.#oneSidedSince !== null &&
      this.#input.now - this.#oneSidedSince >= ONE_SIDED_MS
    );
  }

  /** Suspends the verdict for ten seconds, because input was not counted. */
  suspend(because: string, atMs: number): void {
    this.#input.suspend(because, atMs);
  }

  /** @param alpha the share of healthy releases that may be stopped */
  judge(alpha: number, baseline: Pick<Baseline, "warmUpOf">): Verdict {
    const verdict = judgeTest(
      {
        attempt: this.attempt,
        rules: this.rules,
        seen: this.#places.names,
        compared: this.#compared,
        whole: this.#stretches.whole,
        restarts: this.#stretches.restarts,
        restartsBegun: this.#stretches.begun,
        open: this.#epochs.sum(),
        power: this.#readPower(evidenceToStop(alpha, this.attempt)),
        warmUp: this.#warmUp,
        lastAt: this.#input.now,
        flaw: this.#input.because,
        isOneSided: this.isOneSided,
        wasWorse: this.#isWorse,
      },
      { alpha, baseline },
    );
    // The guarantee is about the first time that the evidence suffices, so the outcome stays.
    this.#isWorse ||= verdict.outcome === "worse";
    return verdict;
  }

  /** With the open epochs in the closed sums: it can be judged, but not go on. */
  toRecord(): StoredTest {
    const open = this.#epochs.sum();
    return this.#store((stretch) => stretch.toStored(stretch.sumWith(open)));
  }

  /** Without the open epochs. */
  toStored(): StoredTest {
    return this.#store((stretch) => stretch.toStored());
  }

  /**
   * An earlier `toStored()` of this test, with what has been closed since: telemetry from then on leads to the same test.
   *
   * @param earlier from when the oldest open epoch began
   */
  closeEarlier(earlier: StoredTest): StoredTest {
    return {
      ...earlier,
      ...this.#stretches.closeEarlier(earlier),
      sealed: this.#epochs.closed,
      isWorse: this.#isWorse,
    };
  }

  static restore(stored: StoredTest): ReleaseTest {
    const test = new ReleaseTest(stored);
    test.#input = new InputWatch(stored.startedAt, stored);
    test.#warmUp = { ...stored.warmUp };
    test.#places.restore(stored.seen, stored.lastAt ?? stored.startedAt);
    const { tolerance, hostFactor } = stored.rules;
    for (const [name, latency, perSecond] of stored.compared) {
      const warmUp = { latency: fromSparse(latency, BUCKETS), perSecond };
      test.#compared.set(
        name,
        new ComparedRoute(warmUp, tolerance, hostFactor),
      );
    }
    test.#ratio = stored.ratio;
    const { stallMs } = stored.rules;
    test.#epochs = new OpenEpochs(stallMs, stored.sealed);
    test.#stretches = Stretches.restore(stored);
    test.#oneSidedSince = stored.oneSidedSince;
    test.#isWorse = stored.isWorse;
    return test;
  }

  #store(toStored: (stretch: Stretch) => StoredTest["whole"]): StoredTest {
    return {
      startedAt: this.startedAt,
      attempt: this.attempt,
      rules: this.rules,
      lastAt: this.#input.lastAt,
      warmUp: { ...this.#warmUp },
      seen: this.#places.names,
      compared: [...this.#compared].map(([name, { warmUp, perSecond }]) => [
        name,
        toSparse(warmUp),
        perSecond,
      ]),
      ratio: this.#ratio,
      sealed: -1,
      ...this.#stretches.toStored(toStored),
      oneSidedSince: this.#oneSidedSince,
      flaw: this.#input.flaw,
      isWorse: this.#isWorse,
    };
  }

  #turnEpoch(atMs: number): void {
    this.#stretches.turnEpoch(atMs, this.#epochs.turn(atMs));
    this.#places.vacate(atMs, (name) => this.#compared.has(name));
  }

  #count(pair: WindowPair, share: number, baseline: Compared): void {
    const { whole, all } = this.#stretches;
    if (!whole.hasShare(share) && whole.splits.length >= MAX_SPLITS) return;
    // From the first request on, and on each route.
    for (const stretch of all) stretch.count(pair, share);
    if (this.#warmUp.until === null) {
      this.#warm(pair);
      return;
    }
    for (const stretch of all)
      for (const side of SIDES) stretch.countLatency(side, pair[side].routes);
    if (Array.isArray(pair.decks))
      for (const deck of pair.decks) this.#bet(deck, share, baseline);
  }

  #warm({ atMs, canary, prod }: WindowPair): void {
    if (canary.dealt + prod.dealt === 0 && this.#warmUp.since === null) return;
    this.#warmUp.since ??= atMs;
    for (const { requests } of canary.routes.values())
      this.#warmUp.canaryRequests += requests;
    const isOver =
      atMs - this.#warmUp.since >= this.rules.warmUpMs &&
      this.#warmUp.canaryRequests >= WARM_UP_CANARY_REQUESTS;
    if (isOver) this.#warmUp.until = atMs;
  }

  #bet(
    { slot, nc, requests }: DealtDeck,
    share: number,
    baseline: Compared,
  ): void {
    const { until } = this.#warmUp;
    // It was dealt to a cold canary, or to another release.
    if (until === null || slot * SLOT_MS < until) return;
    const epoch = epochAt(slot);
    const dealt = requests.map(([name, fine], j) => {
      const route = this.#comparedAs(name, baseline);
      const bucket = route?.bucketOf(fine, j < nc) ?? 0;
      return { name, route, bucket };
    });
    const bets = betOn(dealt, nc);
    if (share !== this.#share) this.#ratio = deckOfShare(share);
    this.#share = share;
    for (const stretch of this.#stretches.all) {
      if (epoch < stretch.firstEpoch) continue;
      stretch.canaryInDecks += nc;
      addByRoute((name) => stretch.routeOf(name).winnings, dealt, nc);
    }
    const slow = dealt
      .slice(0, nc)
      .filter(({ route, bucket }) =>
        route === undefined ? false : bucket > route.dictionary.slowAbove,
      ).length;
    this.#epochs.add(slot, bets, { requests: nc, slow });
  }

  /** Routes with few requests are compared together. */
  #comparedAs(name: string, baseline: Compared): ComparedRoute | undefined {
    const own = this.#compared.get(name);
    if (own !== undefined || name === OTHER_ROUTES) return own;
    return baseline.isRareAndServed(name)
      ? this.#compared.get(OTHER_ROUTES)
      : undefined;
  }

  #admitRoutes(baseline: Compared): void {
    for (const name of [...this.#places.names, OTHER_ROUTES]) {
      if (this.#compared.has(name)) continue;
      const warmUp = baseline.warmUpOf(name);
      if ("because" in warmUp) continue;
      const { tolerance, hostFactor } = this.rules;
      const route = new ComparedRoute(warmUp, tolerance, hostFactor);
      this.#compared.set(name, route);
    }
  }

  /** What the compared routes show at the last deck's ratio and the present rate, to the nearest power of two. */
  #readPower(toStop: number): Power | undefined {
    if (this.#ratio === null) return undefined;
    const { prod, canary } = this.#ratio;
    const rate = canaryPerSecond({
      whole: this.#stretches.whole,
      warmUp: this.#warmUp,
      lastAt: this.#input.now,
    });
    const perSecond = 2 ** Math.round(Math.log2(rate));
    const of = `${prod}:${canary} ${toStop} ${perSecond} ${[...this.#compared.keys()].join(" ")}`;
    if (this.#power?.of !== of) {
      const { stallMs } = this.rules;
      const search = { ratio: this.#ratio, toStop, perSecond, stallMs };
      const routes = [...this.#compared.values()];
      this.#power = { of, found: measurePower(routes, search) };
    }
    return this.#power.found;
  }
}
