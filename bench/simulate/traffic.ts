import { Split } from "../../apps/proxy/dealing/split.js";
import type { Side } from "../../lib/telemetry/telemetry.js";

export const REQUESTS_PER_SECOND = 100;
/** For both sides, unless the canary is changed. */
const ERROR_RATIO = 0.001;

type Random = () => number;
type Law = (random: Random) => number;

/**
 * Latencies in ms of an unloaded service. By an oracle's needs, the first four carry about as much information on a change
 * as the figures that they are compared with. The last never answers below 20 ms, and the verdict's dictionary has no word
 * for requests that are missing there.
 */
export const LAWS: Record<string, Law> = {
  lognormal: (random) => 100 * Math.exp(0.45 * normal(random)),
  gamma: (random) =>
    -20 *
    Math.log(
      uniform(random) * uniform(random) * uniform(random) * uniform(random),
    ),
  "log-logistic": (random) => 70 * (1 / uniform(random) - 1) ** (1 / 3.5),
  bimodal: (random) =>
    (random() < 0.8 ? 30 : 200) * Math.exp(0.3 * normal(random)),
  "hard edge": (random) => 20 - 80 * Math.log(uniform(random)),
};
export const HARD_EDGE = "hard edge";

export interface Change {
  latency?: (ms: number, random: Random) => number;
  /** The canary's, of 1. */
  errors?: number;
}

export const CHANGES: Record<string, Change> = {
  "× 2": { latency: (ms) => ms * 2 },
  "× 1.5": { latency: (ms) => ms * 1.5 },
  "× 1.2": { latency: (ms) => ms * 1.2 },
  "+500 ms on 5 %": {
    latency: (ms, random) => (random() < 0.05 ? ms + 500 : ms),
  },
  "+500 ms on 20 %": {
    latency: (ms, random) => (random() < 0.2 ? ms + 500 : ms),
  },
  "1 % errors": { errors: 0.01 },
  "5 % errors": { errors: 0.05 },
  "20 % errors": { errors: 0.2 },
};

/**
 * How both sides' latencies change, from second to second or from request to request; in a cold start the canary's alone,
 * with hiccups one side's.
 */
export const TRAFFICS = [
  "steady",
  "bursty",
  "autocorrelated",
  "cold start",
  "periodic",
  "alternating",
  "hiccups",
] as const;
export type Traffic = (typeof TRAFFICS)[number];

/** A page and its three assets, as long as a block of 3:1; and two alternating kinds of request, a block of 1:1. */
const PERIODS: Partial<Record<Traffic, number[]>> = {
  periodic: [1, 0.25, 0.3, 0.5],
  alternating: [1, 0.25],
};
const RATIOS: Partial<Record<Traffic, Record<Side, number>>> = {
  alternating: { prod: 1, canary: 1 },
};
const USUAL_RATIO = { prod: 3, canary: 1 };
/** For two seconds in thirty, one side takes three times as long. */
const HICCUP = { everySeconds: 30, fromSecond: 15, seconds: 2, factor: 3 };
/** Requests before the test: two seconds, the verdict's 50 canary requests. */
const WARM_UP_SECONDS = 2;

export interface SimulatedRequest {
  /** Seconds since the test began; below 0 in the warm-up. */
  at: number;
  side: Side;
  latencyMs: number;
  isError: boolean;
}

/** The canary's. */
export function shareOf(traffic: Traffic): number {
  const { prod, canary } = RATIOS[traffic] ?? USUAL_RATIO;
  return canary / (prod + canary);
}

/** One release's requests, second by second, from two seconds before the test. */
export class Release {
  readonly #random: Random;
  readonly #split: Split;
  readonly #law: Law;
  readonly #change: Change;
  readonly #changeAt: number;
  readonly #traffic: Traffic;
  #second = -WARM_UP_SECONDS;
  #level = 0;
  #burstLeft = 0;
  #sent = 0;
  #hiccups: Side = "prod";

  /** @param options.changeAt the second from which on the canary is changed; from the start unless told */
  constructor(options: {
    law: Law;
    change: Change;
    changeAt?: number;
    traffic: Traffic;
    random: Random;
  }) {
    this.#random = options.random;
    const ratio = RATIOS[options.traffic] ?? USUAL_RATIO;
    this.#split = new Split(ratio, options.random);
    this.#law = options.law;
    this.#change = options.change;
    this.#changeAt = options.changeAt ?? -Infinity;
    this.#traffic = options.traffic;
  }

  warmUp(): void {
    while (this.#second < 0) this.second(() => undefined);
  }

  second(onRequest: (request: SimulatedRequest) => void): void {
    const random = this.#random;
    const count = this.#turnSecond();
    const shared = Math.exp(this.#level) * (this.#burstLeft > 0 ? 3 : 1);
    const cold =
      this.#traffic === "cold start"
        ? 1 + 2 * Math.exp(-(this.#second + WARM_UP_SECONDS))
        : 1;
    const period = PERIODS[this.#traffic] ?? [1];
    const change = this.#second >= this.#changeAt ? this.#change : {};
    const stalls = this.#findHiccup();
    for (let i = 0; i < count; i++) {
      const side = this.#split.pick();
      const kind = period[this.#sent++ % period.length] ?? 1;
      let latencyMs = this.#law(random) * shared * kind;
      if (side === stalls) latencyMs *= HICCUP.factor;
      if (side === "canary")
        latencyMs =
          change.latency?.(latencyMs * cold, random) ?? latencyMs * cold;
      const errors = side === "canary" ? change.errors : undefined;
      const isError = random() < (errors ?? ERROR_RATIO);
      onRequest({ at: this.#second + i / count, side, latencyMs, isError });
    }
    this.#second += 1;
  }

  /** The side that has one now. */
  #findHiccup(): Side | undefined {
    if (this.#traffic !== "hiccups" || this.#second < 0) return undefined;
    const second = (this.#second % HICCUP.everySeconds) - HICCUP.fromSecond;
    if (second === 0) this.#hiccups = this.#random() < 0.5 ? "prod" : "canary";
    const isOn = second >= 0 && second < HICCUP.seconds;
    return isOn ? this.#hiccups : undefined;
  }

  #turnSecond(): number {
    const random = this.#random;
    if (this.#traffic === "autocorrelated")
      this.#level = 0.9 * this.#level + 0.15 * normal(random);
    if (this.#traffic !== "bursty") return REQUESTS_PER_SECOND;
    if (this.#burstLeft > 0) this.#burstLeft -= 1;
    else if (random() < 1 / 30) this.#burstLeft = 2;
    return Math.round(REQUESTS_PER_SECOND * Math.exp(0.5 * normal(random)));
  }
}

/** In (0, 1], so that the logarithm is finite. */
function uniform(random: Random): number {
  return 1 - random();
}

/** Box & Muller. */
function normal(random: Random): number {
  return (
    Math.sqrt(-2 * Math.log(uniform(random))) * Math.cos(2 * Math.PI * random())
  );
}
