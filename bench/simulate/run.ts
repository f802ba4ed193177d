import { createSeededRandom } from "../../test/support/seeded-random.js";
import { bucketOf, TOP_BUCKET } from "../../lib/telemetry/latency-histogram.js";
import { METHODS, Methods, SEES_ERRORS, type Method } from "./methods.js";
import { oracleWinnings } from "./oracle.js";
import {
  CHANGES,
  HARD_EDGE,
  LAWS,
  Release,
  shareOf,
  WARM_UPS_SECONDS,
  TRAFFICS,
  type Traffic,
} from "./traffic.js";

/** Prod alone, for a minute. */
const BASELINE_SECONDS = 60;
const EPOCH_SECONDS = 30;
const LATE_CHANGES = ["× 2", "× 1.5"];

export interface Size {
  healthy: number;
  changed: number;
  /** Releases that change later. */
  late: number;
  /** How long those are healthy before. */
  lateMinutes: readonly number[];
  /** How long a release is watched, from its change if it has one. */
  seconds: number;
}

export interface FalseStops {
  law: string;
  traffic: Traffic;
  releases: number;
  /** From 0 to 1. */
  ratios: Record<Method, number>;
}

export interface Detection {
  law: string;
  change: string;
  /** How long the canary was healthy before. */
  afterMinutes: number;
  releases: number;
  /**
   * Median canary requests from the change to the stop; null if fewer than half of the releases were stopped. Releases that
   * were stopped before the change do not count.
   */
  medians: Record<Method, number | null>;
  /** Canary requests after which the default verdict had stopped 95 %; null if it had not. */
  defaultP95: number | null;
}

export interface Results {
  falseStops: FalseStops[];
  detections: Detection[];
}

/** One law's releases. The law with the hard edge has changed releases only: it is reported, but not averaged. */
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
    for (const afterMinutes of size.lateMinutes)
      for (const change of LATE_CHANGES)
        detections.push(detect({ change, afterMinutes }, size.late));
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
    // A release that is changed from the start is also changed in the warm-up.
    changeAt: changeAt > 0 ? changeAt : -Infinity,
    traffic,
    random,
  });
  const share = shareOf(traffic);
  const methods = new Methods({
    warmUp,
    seconds,
    deckLength: Math.round(1 / share),
    warmUpSeconds: WARM_UPS_SECONDS[traffic] ?? 0,
    // Epochs and minutes follow the clock, so a release may begin anywhere in them.
    phase: { epoch: EPOCH_SECONDS * random(), minute: 60 * random() },
    oracle:
      change.latency &&
      oracleWinnings(options.law, options.change ?? "", share),
  });
  let canaryBefore = 0;
  for (let at = release.at; at < seconds; at = release.at) {
    if (at === changeAt) canaryBefore = methods.canaryRequests;
    release.second((request) => methods.hear(request));
    methods.endSecond(at);
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

/** Over the canary requests to a method's stop, without releases that it stopped before the change. */
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
