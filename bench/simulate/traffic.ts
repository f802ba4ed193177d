import { createSplit } from "../../apps/proxy/split.js";
import type { Side } from "../../lib/telemetry.js";

export const REQUESTS_PER_SECOND = 100;

type Random = () => number;

/** Latencies in ms of an unloaded service. */
export const LAWS: Record<string, (random: Random) => number> = {
  lognormal: (random) => 100 * Math.exp(0.4 * normal(random)),
  exponential: (random) => 20 - 80 * Math.log(1 - random()),
  pareto: (random) => 50 * (1 - random()) ** (-1 / 2.5),
  bimodal: (random) =>
    (random() < 0.8 ? 30 : 200) * Math.exp(0.25 * normal(random)),
};

export const CHANGES: Record<string, (ms: number, random: Random) => number> = {
  "× 2": (ms) => ms * 2,
  "× 1.5": (ms) => ms * 1.5,
  "× 1.2": (ms) => ms * 1.2,
  "+500 ms on 5 %": (ms, random) => (random() < 0.05 ? ms + 500 : ms),
  "+500 ms on 20 %": (ms, random) => (random() < 0.2 ? ms + 500 : ms),
};

/** By what each second multiplies both sides' latencies; `cold` the canary's alone. */
export const TRAFFICS = [
  "steady",
  "bursty",
  "autocorrelated",
  "cold start",
  "periodic",
] as const;
export type Traffic = (typeof TRAFFICS)[number];

const PERIOD = [1, 0.25, 0.3, 0.5];
/** Requests before the test: two seconds, the verdict's 50 canary requests. */
export const WARM_UP_SECONDS = 2;

/** One release's requests, second by second, from two seconds before the test. */
export class Release {
  readonly #random: Random;
  readonly #split: () => Side;
  readonly #law: (random: Random) => number;
  readonly #change: ((ms: number, random: Random) => number) | undefined;
  readonly #traffic: Traffic;
  #second = -WARM_UP_SECONDS;
  #level = 0;
  #burstLeft = 0;
  #sent = 0;

  constructor(options: {
    law: (random: Random) => number;
    change?: ((ms: number, random: Random) => number) | undefined;
    traffic: Traffic;
    random: Random;
  }) {
    this.#random = options.random;
    this.#split = createSplit({ prod: 3, canary: 1 }, options.random);
    this.#law = options.law;
    this.#change = options.change;
    this.#traffic = options.traffic;
  }

  second(onRequest: (side: Side, latencyMs: number) => void): void {
    const random = this.#random;
    const count = this.#turnSecond();
    const shared = Math.exp(this.#level) * (this.#burstLeft > 0 ? 3 : 1);
    const cold =
      this.#traffic === "cold start"
        ? 1 + 2 * Math.exp(-(this.#second + WARM_UP_SECONDS))
        : 1;
    for (let i = 0; i < count; i++) {
      const side = this.#split();
      const kind =
        this.#traffic === "periodic" ? (PERIOD[this.#sent++ % 4] ?? 1) : 1;
      let ms = this.#law(random) * shared * kind;
      if (side === "canary") {
        ms *= cold;
        if (this.#change !== undefined && this.#second >= 0)
          ms = this.#change(ms, random);
      }
      onRequest(side, ms);
    }
    this.#second += 1;
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

function normal(random: Random): number {
  return (
    Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  );
}
