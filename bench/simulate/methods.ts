import { bucketOfFine } from "../../apps/monitor/verdict/evidence/buckets.js";
import { BLOCK_MS } from "../../apps/monitor/verdict/evidence/burst-guard.js";
import { createLatencyCounts } from "../../apps/monitor/verdict/evidence/latency-evidence.js";
import { evidenceToStop } from "../../apps/monitor/verdict/evidence/total.js";
import { bucketOf } from "../../lib/telemetry/latency-histogram.js";
import type { Side } from "../../lib/telemetry/telemetry.js";
import { Bets } from "./bets.js";
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
  "raw, each request",
  "guarded, each request",
  "guarded, each second",
  "default settings, each second",
  "oracle",
] as const;
export type Method = (typeof METHODS)[number];
/** The only method that considers errors. */
export const SEES_ERRORS: Method = "default settings, each second";
/** Methods that check repeatedly without knowing the change: they can detect a late one. */
export const FINDS_LATE: readonly Method[] = METHODS.filter(
  (method) => method !== "oracle" && !method.startsWith("Mann-Whitney"),
);

export const ALPHA = 0.01;
const NO_TOLERANCE = { ratio: 0, ms: 0 };
const DEFAULT_TOLERANCE = { ratio: 0.1, ms: 5 };
export const BLOCK_SECONDS = BLOCK_MS / 1000;
const P95_RATIO = 1.25;
/** Φ⁻¹(0.98) */
const Z_98 = 2.0537;
const TO_STOP = evidenceToStop(ALPHA);

/** Each method's view of one release. */
export class Methods {
  /** When each stopped the canary, in its requests since the test began. */
  readonly stops = new Map<Method, number>();
  readonly #all = createFineCounts();
  readonly #own: Bets;
  readonly #tolerant: Bets;
  readonly #oracle: Record<Side, Float64Array> | undefined;
  readonly #thresholdMs: number;
  readonly #seconds: number;
  readonly #phase: { block: number; minute: number };
  #minute = createFineCounts();
  #minutes = 0;
  #blocks = 0;
  #second = 0;
  #canary = 0;
  #oracleEvidence = 0;

  /** @param options.phase how much of a minute and of a block, in seconds, has passed when the test begins */
  constructor(options: {
    warmUp: Float64Array;
    seconds: number;
    share: number;
    phase: { block: number; minute: number };
    oracle: Record<Side, Float64Array> | undefined;
  }) {
    const coarse = createLatencyCounts().prod;
    options.warmUp.forEach((count, i) => (coarse[bucketOfFine(i)]! += count));
    const given = { warmUp: coarse, share: options.share };
    this.#own = new Bets({ ...given, tolerance: NO_TOLERANCE });
    this.#tolerant = new Bets({ ...given, tolerance: DEFAULT_TOLERANCE });
    this.#thresholdMs = P95_RATIO * quantile(options.warmUp, 0.95);
    this.#seconds = options.seconds;
    this.#phase = options.phase;
    this.#oracle = options.oracle;
  }

  get canaryRequests(): number {
    return this.#canary;
  }

  hear({ at, side, latencyMs, isError }: SimulatedRequest): void {
    this.#turnBlock(at);
    const fine = bucketOf(latencyMs);
    this.#all[side][fine]! += 1;
    this.#minute[side][fine]! += 1;
    if (side === "canary") this.#canary += 1;
    this.#own.add(side, fine, false);
    this.#tolerant.add(side, fine, isError);
    this.#look();
    const winnings = this.#oracle?.[side][bucketOfFine(fine)] ?? 0;
    this.#oracleEvidence += winnings;
    this.#note("oracle", this.#oracleEvidence >= TO_STOP);
  }

  endSecond(): void {
    this.#second += 1;
    if (this.stops.has("guarded, each request"))
      this.#note("guarded, each second", this.#isGuardedEnough());
    this.#note(SEES_ERRORS, this.#isTotalEnough());
    if (!this.stops.has("uniform band (DKW)"))
      this.#note("uniform band (DKW)", exceedsBand(this.#all, ALPHA));
    const minutes = Math.floor((this.#second + this.#phase.minute) / 60);
    if (minutes > this.#minutes) this.#endMinute(minutes);
    if (this.#second === this.#seconds)
      this.#note("Mann-Whitney 98 % once", mannWhitney(this.#all) > Z_98);
  }

  #turnBlock(at: number): void {
    const blocks = Math.floor((at + this.#phase.block) / BLOCK_SECONDS);
    if (blocks === this.#blocks) return;
    this.#blocks = blocks;
    this.#own.endBlock(1000 * at);
    this.#tolerant.endBlock(1000 * at);
  }

  #look(): void {
    // The guarded evidence is capped by the raw one.
    if (this.stops.has("guarded, each request")) return;
    if (this.#own.rawBound() < TO_STOP) return;
    if (this.#own.configuredRaw() < TO_STOP) return;
    if (!this.stops.has("raw, each request"))
      this.#note("raw, each request", this.#own.weigh().raw >= TO_STOP);
    this.#note("guarded, each request", this.#isGuardedEnough());
  }

  #isGuardedEnough(): boolean {
    return (
      this.#own.guardedBound() >= TO_STOP &&
      this.#own.weigh().guarded >= TO_STOP
    );
  }

  #isTotalEnough(): boolean {
    if (this.stops.has(SEES_ERRORS)) return true;
    // The mean of two is not above the larger one.
    const bound = Math.max(
      this.#tolerant.errorBound(),
      this.#tolerant.guardedBound(),
    );
    return bound >= TO_STOP && this.#tolerant.weigh().total >= TO_STOP;
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
