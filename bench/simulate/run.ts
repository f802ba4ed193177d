import { createSeededRandom } from "../../test/support/seeded-random.js";
import { bucketOf, TOP_BUCKET } from "../../lib/latency-histogram.js";
import {
  BLOCK_SECONDS,
  METHODS,
  Methods,
  SEES_ERRORS,
  SHARE,
  type Method,
} from "./methods.js";
import { oracleWinnings } from "./oracle.js";
import {
  CHANGES,
  HARD_EDGE,
  LAWS,
  Release,
  TRAFFICS,
  type Traffic,
} from "./traffic.js";

/** Prod alone, for a minute. */
const BASELINE_SECONDS = 60;

export interface Size {
  healthy: number;
  changed: number;
  seconds: number;
}

export interface FalseStops {
  law: string;
  traffic: Traffic;
  releases: number;
  /** Of 1. */
  ratios: Record<Method, number>;
}

export interface Detection {
  law: string;
  change: string;
  releases: number;
  /** Canary requests until the stop; null when half of the releases were not stopped. */
  medians: Record<Method, number | null>;
  /** After so many the verdict by default settings had stopped 95 % of them; null when it had not. */
  defaultP95: number | null;
}

export interface Results {
  falseStops: FalseStops[];
  detections: Detection[];
}

/** One law's releases. The law with the hard edge has changed ones only: it is there to be told, not to be averaged in. */
export function simulateLaw(law: string, size: Size): Results {
  let seed = 1 + 1_000_000 * Object.keys(LAWS).indexOf(law);
  const { seconds } = size;
  const traffics = law === HARD_EDGE ? [] : TRAFFICS;
  const falseStops = traffics.map((traffic): FalseStops => {
    const runs = Array.from({ length: size.healthy }, () =>
      runRelease({ law, traffic, seconds, seed: seed++ }),
    );
    const ratio = (method: Method) =>
      runs.filter((stops) => stops.has(method)).length / runs.length;
    return { law, traffic, releases: runs.length, ratios: byMethod(ratio) };
  });
  const detections = Object.keys(CHANGES).map((change): Detection => {
    const runs = Array.from({ length: size.changed }, () =>
      runRelease({ law, change, traffic: "steady", seconds, seed: seed++ }),
    );
    return {
      law,
      change,
      releases: runs.length,
      medians: byMethod((method) => quantileOf(runs, method, 0.5)),
      defaultP95: quantileOf(runs, SEES_ERRORS, 0.95),
    };
  });
  return { falseStops, detections };
}

function runRelease(options: {
  law: string;
  change?: string;
  traffic: Traffic;
  seconds: number;
  seed: number;
}): ReadonlyMap<Method, number> {
  const random = createSeededRandom(options.seed * 7919);
  const { traffic, seconds } = options;
  const law = LAWS[options.law]!;
  const change = CHANGES[options.change ?? ""] ?? {};
  const warmUp = new Float64Array(TOP_BUCKET + 1);
  const alone = new Release({ law, change: {}, traffic, random });
  alone.warmUp();
  for (let second = 0; second < BASELINE_SECONDS; second++)
    alone.second(({ side, latencyMs }) => {
      if (side === "prod") warmUp[bucketOf(latencyMs)]! += 1;
    });
  const release = new Release({ law, change, traffic, random });
  release.warmUp();
  const methods = new Methods({
    warmUp,
    seconds,
    // Blocks and minutes are the clock's: a release begins anywhere in them.
    phase: { block: BLOCK_SECONDS * random(), minute: 60 * random() },
    oracle:
      change.latency &&
      oracleWinnings(options.law, options.change ?? "", SHARE),
  });
  for (let second = 0; second < seconds; second++) {
    release.second((request) => {
      methods.hear(request);
    });
    methods.endSecond();
  }
  return methods.stops;
}

function byMethod<T>(value: (method: Method) => T): Record<Method, T> {
  return Object.fromEntries(
    METHODS.map((method) => [method, value(method)]),
  ) as Record<Method, T>;
}

function quantileOf(
  runs: ReadonlyMap<Method, number>[],
  method: Method,
  q: number,
): number | null {
  const sorted = runs
    .map((stops) => stops.get(method) ?? Infinity)
    .sort((a, b) => a - b);
  const value = sorted[Math.ceil(q * sorted.length) - 1] ?? Infinity;
  return Number.isFinite(value) ? value : null;
}
