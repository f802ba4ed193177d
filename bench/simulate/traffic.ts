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
 * How both sides' latencies change, from second to second or from request to request; when it is cold the canary's alone, with
 * hiccups, stalls and major garbage collections one side's.
 */
export const TRAFFICS = [
  "steady",
  "bursty",
  "autocorrelated",
  "cold for 5 s",
  "cold for 20 s",
  "periodic",
  "alternating",
  "hiccups",
  "collections",
  "random stalls",
  "one stall of 2 s",
  "one stall of 5 s",
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
/** A canary that is cold takes three times as long at first; the excess falls by e in as many seconds. */
const COLD_SECONDS: Partial<Record<Traffic, number>> = {
  "cold for 5 s": 5,
  "cold for 20 s": 20,
};
const COLD_FACTOR = 3;
/** The default of VERDICT_WARM_UP where that matters; no time elsewhere, so that requests until the stop can be compared. */
export const WARM_UPS_SECONDS: Partial<Record<Traffic, number>> = {
  "cold for 5 s": 60,
  "cold for 20 s": 60,
};

interface Stalls {
  factor: number;
  /** When the next one begins, in seconds after the last one began; both random numbers are from 0 to 1. */
  everySeconds: (random: Random) => number;
  lastsSeconds: (random: Random) => number;
  /** At most. */
  count?: number;
}

/** On one of the sides, at random. */
const STALLS: Partial<Record<Traffic, Stalls>> = {
  hiccups: { factor: 3, everySeconds: () => 30, lastsSeconds: () => 2 },
  collections: {
    factor: 20,
    everySeconds: (random) => 20 + 20 * random(),
    lastsSeconds: (random) => 0.5 + random(),
  },
  "random stalls": {
    factor: 4,
    everySeconds: (random) => -40 * Math.log(uniform(random)),
    lastsSeconds: (random) => -Math.log(uniform(random)),
  },
  "one stall of 2 s": {
    factor: 20,
    everySeconds: (random) => 60 + 120 * random(),
    lastsSeconds: () => 2,
    count: 1,
  },
  "one stall of 5 s": {
    factor: 5,
    everySeconds: (random) => 60 + 120 * random(),
    lastsSeconds: () => 5,
    count: 1,
  },
};
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
  #stall: { side: Side; from: number; to: number } | undefined;
  #stalls = 0;

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

  /** The second that comes next; below 0 in the warm-up. */
  get at(): number {
    return this.#second;
  }

  warmUp(): void {
    while (this.#second < 0) this.second(() => undefined);
  }

  second(onRequest: (request: SimulatedRequest) => void): void {
    const random = this.#random;
    const count = this.#turnSecond();
    const shared = Math.exp(this.#level) * (this.#burstLeft > 0 ? 3 : 1);
    const coldSeconds = COLD_SECONDS[this.#traffic];
    const age = this.#second + WARM_UP_SECONDS;
    const cold =
      coldSeconds === undefined
        ? 1
        : 1 + (COLD_FACTOR - 1) * Math.exp(-age / coldSeconds);
    const period = PERIODS[this.#traffic] ?? [1];
    const change = this.#second >= this.#changeAt ? this.#change : {};
    for (let i = 0; i < count; i++) {
      const side = this.#split.pick();
      const kind = period[this.#sent++ % period.length] ?? 1;
      let latencyMs = this.#law(random) * shared * kind;
      const at = this.#second + i / count;
      if (side === this.#findStall(at))
        latencyMs *= STALLS[this.#traffic]?.factor ?? 1;
      if (side === "canary")
        latencyMs =
          change.latency?.(latencyMs * cold, random) ?? latencyMs * cold;
      const errors = side === "canary" ? change.errors : undefined;
      const isError = random() < (errors ?? ERROR_RATIO);
      onRequest({ at, side, latencyMs, isError });
    }
    this.#second += 1;
  }

  /** The side that stalls now. */
  #findStall(at: number): Side | undefined {
    const stalls = STALLS[this.#traffic];
    if (stalls === undefined || at < 0) return undefined;
    const { everySeconds, lastsSeconds, count = Infinity } = stalls;
    const random = this.#random;
    if (at >= (this.#stall?.to ?? 0) && this.#stalls < count) {
      const since = this.#stall?.from ?? everySeconds(random) * (random() - 1);
      const from = Math.max(at, since + everySeconds(random));
      const side = count === 1 || random() < 0.5 ? "canary" : "prod";
      this.#stall = { side, from, to: from + lastsSeconds(random) };
      this.#stalls += 1;
    }
    const stall = this.#stall;
    return stall !== undefined && at >= stall.from && at < stall.to
      ? stall.side
      : undefined;
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
