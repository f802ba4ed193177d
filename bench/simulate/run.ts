import { createSeededRandom } from "../../test/support/seeded-random.js";
import { bucketOf, TOP_BUCKET } from "../../lib/telemetry/latency-histogram.js";
import {
  BLOCK_SECONDS,
  METHODS,
  Methods,
  SEES_ERRORS,
  type Method,
} from "./methods.js";
import { oracleWinnings } from "./oracle.js";
import {
  CHANGES,
  HARD_EDGE,
  LAWS,
  Release,
  shareOf,
  TRAFFICS,
  type Traffic,
} from "./traffic.js";

/** Prod alone, for a minute. */
const BASELINE_SECONDS = 60;
/** Healthy until then. */
const LATE = [10, 60].flatMap((afterMinutes) =>
  ["× 2", "× 1.5"].map((change) => ({ change, afterMinutes })),
);

export interface Size {
  healthy: number;
  changed: number;
  /** Those that change later. */
  late: number;
  /** That a release is watched, once it is changed if it is. */
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
  /** How long the canary was healthy before. */
  afterMinutes: number;
  releases: number;
  /**
   * Canary requests from the change until the stop; null when half of the releases were not stopped. Those that a method
   * had stopped before are not counted.
   */
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
  const detect = (
    { change, afterMinutes }: { change: string; afterMinutes: number },
    releases: number,
  ): Detection => {
    const changeAt = 60 * afterMinutes;
    const length = { seconds: changeAt + seconds, changeAt };
    const runs = Array.from({ length: releases }, () =>
      runRelease({ law, change, traffic: "steady", ...length, seed: seed++ }),
    );
    return {
      law,
      change,
      afterMinutes,
      releases,
      medians: byMethod((method) => quantileOf(runs, method, 0.5)),
      defaultP95: quantileOf(runs, SEES_ERRORS, 0.95),
    };
  };
  const detections = Object.keys(CHANGES).map((change) =>
    detect({ change, afterMinutes: 0 }, size.changed),
  );
  if (law !== HARD_EDGE)
    detections.push(...LATE.map((late) => detect(late, size.late)));
  return { falseStops, detections };
}

function runRelease(options: {
  law: string;
  change?: string;
  changeAt?: number;
  traffic: Traffic;
  seconds: number;
  seed: number;
}): ReadonlyMap<Method, number> {
  const random = createSeededRandom(options.seed * 7919);
  const { traffic, seconds, changeAt = 0 } = options;
  const law = LAWS[options.law]!;
  const change = CHANGES[options.change ?? ""] ?? {};
  const warmUp = new Float64Array(TOP_BUCKET + 1);
  const alone = new Release({ law, change: {}, traffic, random });
  alone.warmUp();
  for (let second = 0; second < BASELINE_SECONDS; second++)
    alone.second(({ side, latencyMs }) => {
      if (side === "prod") warmUp[bucketOf(latencyMs)]! += 1;
    });
  const release = new Release({
    law,
    change,
    // One that is changed from the start is so in the warm-up, too.
    changeAt: changeAt > 0 ? changeAt : -Infinity,
    traffic,
    random,
  });
  release.warmUp();
  const share = shareOf(traffic);
  const methods = new Methods({
    warmUp,
    seconds,
    share,
    // Blocks and minutes are the clock's: a release begins anywhere in them.
    phase: { block: BLOCK_SECONDS * random(), minute: 60 * random() },
    oracle:
      change.latency &&
      oracleWinnings(options.law, options.change ?? "", share),
  });
  let canaryBefore = 0;
  for (let second = 0; second < seconds; second++) {
    if (second === changeAt) canaryBefore = methods.canaryRequests;
    release.second((request) => {
      methods.hear(request);
    });
    methods.endSecond();
  }
  return new Map(
    [...methods.stops].map(([method, at]) => [method, at - canaryBefore]),
  );
}

function byMethod<T>(value: (method: Method) => T): Record<Method, T> {
  return Object.fromEntries(
    METHODS.map((method) => [method, value(method)]),
  ) as Record<Method, T>;
}

/** Of the canary requests until a method's stop, over the releases that it had not stopped before the change. */
function quantileOf(
  runs: ReadonlyMap<Method, number>[],
  method: Method,
  q: number,
): number | null {
  const sorted = runs
    .map((stops) => stops.get(method) ?? Infinity)
    .filter((at) => at > 0)
    .sort((a, b) => a - b);
  const value = sorted[Math.ceil(q * sorted.length) - 1] ?? Infinity;
  return Number.isFinite(value) ? value : null;
}
