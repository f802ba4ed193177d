import { Baseline } from "../../apps/monitor/verdict/baseline.js";
import { evidenceToStop } from "../../apps/monitor/verdict/evidence/total.js";
import { ReleaseTest } from "../../apps/monitor/verdict/release-test.js";
import { bucketOf } from "../../lib/telemetry/latency-histogram.js";
import type { Side } from "../../lib/telemetry/telemetry.js";
import {
  deckOf,
  routeWindow,
  windowPair,
} from "../../test/support/monitor/verdict-traffic.js";
import {
  createFineCounts,
  exceedsBand,
  mannWhitney,
  quantile,
} from "./rivals.js";
import type { SimulatedRequest } from "./traffic.js";

export const METHODS = [
  "p95 threshold per minute",
  "Mann-Whitney 98 % once",
  "Mann-Whitney 98 % each minute",
  "uniform band (DKW)",
  "the verdict, VERDICT_STALL=2.5s",
  "the verdict",
  "oracle",
] as const;
export type Method = (typeof METHODS)[number];
/** The only method that considers errors. */
export const SEES_ERRORS: Method = "the verdict";
/** Methods that check repeatedly without knowing the change: they can detect a late one. */
export const FINDS_LATE: readonly Method[] = METHODS.filter(
  (method) => method !== "oracle" && !method.startsWith("Mann-Whitney"),
);

export const ALPHA = 0.01;
const TOLERANCE = { ratio: 0.1, ms: 5 };
const STALLS_MS = {
  "the verdict": 5000,
  "the verdict, VERDICT_STALL=2.5s": 2500,
} as const;
/** The start of an epoch. */
const START_MS = 1_700_000_010_000;
const P95_RATIO = 1.25;
/** Φ⁻¹(0.98) */
const Z_98 = 2.0537;
const TO_STOP = evidenceToStop(ALPHA);

/** Each method's view of one release. */
export class Methods {
  /** When each stopped the canary, in its requests since the test began. */
  readonly stops = new Map<Method, number>();
  readonly #all = createFineCounts();
  readonly #tests: { method: Method; test: ReleaseTest; baseline: Baseline }[];
  readonly #startMs: number;
  #window: SimulatedRequest[] = [];
  #deck: SimulatedRequest[] = [];
  readonly #oracle: Record<Side, Float64Array> | undefined;
  readonly #thresholdMs: number;
  readonly #seconds: number;
  readonly #phase: { epoch: number; minute: number };
  readonly #deckLength: number;
  #minute = createFineCounts();
  #minutes = 0;
  #second = 0;
  #canary = 0;
  #oracleEvidence = 0;

  /** @param options.phase how much of a minute and of an epoch, in seconds, has passed when the test begins */
  constructor(options: {
    warmUp: Float64Array;
    seconds: number;
    deckLength: number;
    /** Of the verdict. */
    warmUpSeconds: number;
    phase: { epoch: number; minute: number };
    oracle: Record<Side, Float64Array> | undefined;
  }) {
    this.#startMs = START_MS + Math.round(1000 * options.phase.epoch);
    const latency = [...options.warmUp].flatMap((count, bucket) =>
      count > 0 ? [[bucket, count] as [number, number]] : [],
    );
    const requests = latency.reduce((sum, [, count]) => sum + count, 0);
    const before = { requests, served: requests, errors: 0, latency };
    this.#tests = Object.entries(STALLS_MS).map(([method, stallMs]) => {
      const baseline = new Baseline();
      baseline.add(new Map([["GET /", before]]), this.#startMs - 10_000);
      const warmUpMs = 1000 * options.warmUpSeconds;
      const rules = { tolerance: TOLERANCE, stallMs, warmUpMs };
      const startedAt = this.#startMs - 10_000;
      const test = new ReleaseTest({ startedAt, attempt: 0, rules });
      return { method: method as Method, test, baseline };
    });
    this.#deckLength = options.deckLength;
    this.#thresholdMs = P95_RATIO * quantile(options.warmUp, 0.95);
    this.#seconds = options.seconds;
    this.#phase = options.phase;
    this.#oracle = options.oracle;
  }

  get canaryRequests(): number {
    return this.#canary;
  }

  /** Requests from before the test count only for the verdict, which has a warm-up of its own. */
  hear(request: SimulatedRequest): void {
    this.#window.push(request);
    if (request.at < 0) return;
    const { side, latencyMs } = request;
    const fine = bucketOf(latencyMs);
    this.#all[side][fine]! += 1;
    this.#minute[side][fine]! += 1;
    if (side === "canary") this.#canary += 1;
    this.#oracleEvidence += this.#oracle?.[side][fine] ?? 0;
    this.#note("oracle", this.#oracleEvidence >= TO_STOP);
  }

  endSecond(second: number): void {
    this.#judge(second);
    if (second < 0) return;
    this.#second += 1;
    if (!this.stops.has("uniform band (DKW)"))
      this.#note("uniform band (DKW)", exceedsBand(this.#all, ALPHA));
    const minutes = Math.floor((this.#second + this.#phase.minute) / 60);
    if (minutes > this.#minutes) this.#endMinute(minutes);
    if (this.#second === this.#seconds)
      this.#note("Mann-Whitney 98 % once", mannWhitney(this.#all) > Z_98);
  }

  #judge(second: number): void {
    const decks = [];
    for (const { at, ...answer } of this.#window) {
      const atMs = this.#startMs + 1000 * at;
      this.#deck.push({ ...answer, at });
      if (this.#deck.length < this.#deckLength) continue;
      const dealt = this.#deck.map((one) => ({
        ...one,
        route: "GET /",
        atMs: atMs - 1000 * (at - one.at),
      }));
      const deck = deckOf(dealt);
      if (deck) decks.push(deck);
      this.#deck = [];
    }
    decks.sort((one, other) => one.slot - other.slot);
    const share = 1 / this.#deckLength;
    const of = (side: Side) => ({
      "GET /": routeWindow(this.#window.filter((one) => one.side === side)),
    });
    const sides = { prod: of("prod"), canary: of("canary") };
    const atMs = this.#startMs + 1000 * (second + 1);
    const pair = windowPair(atMs, sides, { share, decks });
    this.#window = [];
    for (const { method, test, baseline } of this.#tests) {
      if (this.stops.has(method)) continue;
      test.observe(pair, baseline);
      const isWorse = test.judge(ALPHA, baseline).outcome === "worse";
      this.#note(method, isWorse);
    }
  }

  #endMinute(minutes: number): void {
    this.#minutes = minutes;
    this.#note(
      "p95 threshold per minute",
      quantile(this.#minute.canary, 0.95) > this.#thresholdMs,
    );
    this.#note("Mann-Whitney 98 % each minute", mannWhitney(this.#all) > Z_98);
    this.#minute = createFineCounts();
  }

  #note(method: Method, stops: boolean): void {
    if (stops && !this.stops.has(method)) this.stops.set(method, this.#canary);
  }
}
