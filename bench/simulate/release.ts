import { Baseline } from "../../apps/monitor/verdict/baseline/baseline.js";
import { ReleaseTest } from "../../apps/monitor/verdict/release-test.js";
import { Split } from "../../apps/proxy/dealing/split.js";
import { bucketOf, TOP_BUCKET } from "../../lib/telemetry/latency-histogram.js";
import type { Ratio } from "../../lib/telemetry/split-ratio.js";
import { START } from "../../test/support/monitor/verdict-traffic.js";
import { createSeededRandom } from "../../test/support/seeded-random.js";
import { Rivals } from "./rivals.js";
import type { Random } from "./laws.js";
import { Arrivals, type Traffic } from "./traffic.js";
import { Windows } from "./windows.js";

export const ALPHA = 0.01;
const TOLERANCE = { ratio: 0.1, ms: 5 };
const EPOCH_SECONDS = 30;
/** Prod alone, before: as long, and as many requests. */
const BEFORE_SECONDS = 60;
const BEFORE_REQUESTS = 300;
/** A rare request is looked at a little later: nothing happens between two. */
const RARE_PER_SECOND = 1;

export interface ReleasePlan {
  traffic: Traffic;
  /** The canary's share, from so many seconds after the warm-up on. */
  steps: readonly { ratio: Ratio; fromSecond: number }[];
  warmUpSeconds: number;
  /** Requests and seconds are counted from this second of the release on; undefined: from the end of the warm-up. */
  countFrom?: number;
  /** Only requests of this route are counted. */
  countRoute?: string;
  /** How long the release is watched after that. */
  seconds: number;
}

export interface Stop {
  /** The canary's, since counting began; 0 or less if it was stopped before. */
  requests: number;
  seconds: number;
}

/** What stopped the canary, and when: `stall 5s`, or a rival's name. */
export type Stops = ReadonlyMap<string, Stop>;

/** One release, judged each second by the product's own test, once for each of these lengths of stalls. */
export function runRelease(plan: ReleasePlan, options: Options): Stops {
  return new Release(plan, options).run();
}

interface Options {
  seed: number;
  stallsMs: readonly number[];
  hasRivals: boolean;
}

class Release {
  readonly #plan: ReleasePlan;
  readonly #random: Random;
  readonly #beforeSeconds: number;
  readonly #lookSeconds: number;
  readonly #arrivals: Arrivals;
  readonly #windows: Windows;
  readonly #verdicts: {
    name: string;
    test: ReleaseTest;
    baseline: Baseline;
  }[];
  readonly #hasRivals: boolean;
  #rivals: Rivals | undefined;
  readonly #stops = new Map<string, Stop>();
  #step: ReleasePlan["steps"][number] | undefined;
  #split: Split | undefined;
  /** The canary's. */
  #requests = 0;
  /** What was there when counting began. */
  #counted: { at: number; requests: number } | undefined;

  constructor(plan: ReleasePlan, { seed, stallsMs, hasRivals }: Options) {
    const { traffic } = plan;
    this.#plan = plan;
    this.#random = createSeededRandom(seed * 7919);
    // Epochs follow the clock, so a release may begin anywhere in them.
    const startMs = START + Math.round(1000 * EPOCH_SECONDS * this.#random());
    const { perSecond } = traffic;
    this.#beforeSeconds = Math.max(BEFORE_SECONDS, BEFORE_REQUESTS / perSecond);
    this.#lookSeconds = perSecond < RARE_PER_SECOND ? 10 : 1;
    this.#arrivals = new Arrivals(traffic, this.#random, -this.#beforeSeconds);
    this.#windows = new Windows(startMs, this.#lookSeconds);
    this.#verdicts = stallsMs.map((stallMs) => {
      const warmUpMs = 1000 * plan.warmUpSeconds;
      const rules = { tolerance: TOLERANCE, stallMs, warmUpMs };
      const test = new ReleaseTest({ startedAt: startMs, attempt: 0, rules });
      return { name: nameStall(stallMs), test, baseline: new Baseline() };
    });
    this.#hasRivals = hasRivals;
  }

  run(): Stops {
    this.#hearProdAlone();
    const { seconds } = this.#plan;
    for (
      let at = 0;
      at < (this.#counted?.at ?? Infinity) + seconds && !this.#isDecided;
      at += this.#lookSeconds
    ) {
      this.#turnStep(at);
      if (at === this.#plan.countFrom) this.#count(at);
      this.#hear(at);
      this.#judge(at);
    }
    return this.#stops;
  }

  get #isDecided(): boolean {
    return !this.#hasRivals && this.#stops.size === this.#verdicts.length;
  }

  #hearProdAlone(): void {
    const before = new Float64Array(TOP_BUCKET + 1);
    for (let at = -this.#beforeSeconds; at < 0; at += this.#lookSeconds) {
      const end = Math.min(0, at + this.#lookSeconds);
      for (const request of this.#arrivals.until(end, undefined)) {
        this.#windows.hear(request);
        before[bucketOf(request.latencyMs)]! += 1;
      }
      const { prod, atMs } = this.#windows.take(at, 0);
      for (const { baseline } of this.#verdicts)
        baseline.add(prod.routes, atMs);
    }
    if (this.#hasRivals) this.#rivals = new Rivals(before, this.#plan.seconds);
  }

  #turnStep(at: number): void {
    const since = at - (this.#counted?.at ?? at);
    const now = this.#plan.steps.findLast(
      ({ fromSecond }) => fromSecond <= Math.max(0, since),
    );
    if (now === undefined || now === this.#step) return;
    this.#step = now;
    this.#split = new Split(now.ratio, this.#random);
    this.#windows.dropOpenDeck();
  }

  #hear(at: number): void {
    const { countRoute } = this.#plan;
    const end = at + this.#lookSeconds;
    for (const request of this.#arrivals.until(end, this.#split)) {
      this.#windows.hear(request);
      if (this.#counted) this.#rivals?.hear(request);
      const { side, route } = request;
      if (side === "canary" && (countRoute ?? route) === route)
        this.#requests += 1;
    }
  }

  #judge(at: number): void {
    const { prod, canary } = this.#split?.ratio ?? { prod: 1, canary: 0 };
    const pair = this.#windows.take(at, canary / (prod + canary));
    const end = at + this.#lookSeconds;
    let isWarm = false;
    for (const { name, test, baseline } of this.#verdicts) {
      if (this.#stops.has(name)) continue;
      test.observe(pair, baseline);
      const { outcome } = test.judge(ALPHA, baseline);
      if (outcome === "worse") this.#note(name, end);
      isWarm ||= outcome !== "warming" && outcome !== null;
    }
    if (this.#counted)
      for (const name of this.#rivals?.endSecond() ?? []) this.#note(name, end);
    if (this.#plan.countFrom === undefined && isWarm && !this.#counted)
      this.#count(end);
  }

  #count(at: number): void {
    this.#counted = { at, requests: this.#requests };
  }

  #note(name: string, at: number): void {
    if (this.#stops.has(name)) return;
    const since = this.#counted ?? { at, requests: this.#requests };
    this.#stops.set(name, {
      requests: this.#requests - since.requests,
      seconds: at - since.at,
    });
  }
}

export function nameStall(stallMs: number): string {
  return `stall ${stallMs / 1000}s`;
}
