import { createSeededRandom } from "../../test/support/seeded-random.js";
import { bucketOf, TOP_BUCKET } from "../../lib/latency-histogram.js";
import { METHODS, Methods, type Method } from "./methods.js";
import { CHANGES, LAWS, Release, TRAFFICS, type Traffic } from "./traffic.js";

const WARM_UP_REQUESTS = 500;

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
  /** After so many the guarded test had stopped 95 % of them; null when it had not. */
  guardedP95: number | null;
}

export function simulate(size: Size): {
  falseStops: FalseStops[];
  detections: Detection[];
} {
  const falseStops: FalseStops[] = [];
  const detections: Detection[] = [];
  let seed = 1;
  for (const law of Object.keys(LAWS)) {
    for (const traffic of TRAFFICS) {
      const runs = Array.from({ length: size.healthy }, () =>
        runRelease({ law, traffic, seconds: size.seconds, seed: seed++ }),
      );
      const ratio = (method: Method) =>
        runs.filter((stops) => stops.has(method)).length / runs.length;
      falseStops.push({
        law,
        traffic,
        releases: runs.length,
        ratios: byMethod(ratio),
      });
    }
    for (const change of Object.keys(CHANGES)) {
      const runs = Array.from({ length: size.changed }, () =>
        runRelease({
          law,
          change,
          traffic: "steady",
          seconds: size.seconds,
          seed: seed++,
        }),
      );
      detections.push({
        law,
        change,
        releases: runs.length,
        medians: byMethod((method) => quantileOf(runs, method, 0.5)),
        guardedP95: quantileOf(runs, "this, guarded", 0.95),
      });
    }
  }
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
  const law = LAWS[options.law]!;
  const { traffic } = options;
  const change =
    options.change === undefined ? undefined : CHANGES[options.change];
  const warmUp = new Float64Array(TOP_BUCKET + 1);
  const alone = new Release({ law, traffic, random });
  let counted = 0;
  while (counted < WARM_UP_REQUESTS)
    alone.second((side, ms) => {
      if (side === "prod") warmUp[bucketOf(ms)]! += 1;
      counted += 1;
    });
  const release = new Release({ law, change, traffic, random });
  release.second(() => undefined);
  release.second(() => undefined);
  const methods = new Methods(warmUp, options.seconds);
  for (let second = 0; second < options.seconds; second++) {
    const fine = {
      prod: new Float64Array(TOP_BUCKET + 1),
      canary: new Float64Array(TOP_BUCKET + 1),
    };
    release.second((side, ms) => (fine[side][bucketOf(ms)]! += 1));
    methods.hear(fine);
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
