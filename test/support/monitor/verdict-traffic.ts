import { Baseline } from "../../../apps/monitor/verdict/baseline.js";
import { ReleaseTest } from "../../../apps/monitor/verdict/release-test.js";
import type { Verdict } from "../../../apps/monitor/verdict/verdict.js";
import type { WindowPair } from "../../../apps/monitor/verdict/window-pair.js";
import {
  type RouteWindow,
  SIDES,
  type Side,
} from "../../../lib/telemetry/telemetry.js";
import { Split } from "../../../apps/proxy/dealing/split.js";
import { createSeededRandom } from "../seeded-random.js";
import { histogramOf } from "./telemetry.js";

export const ALPHA = 0.01;
export const START = 1_700_000_000_000;

/** The outcome of a request. */
export interface Answer {
  latencyMs: number;
  isError?: boolean;
  /** Whether the status is 404. */
  isUnknown?: boolean;
}

export type Respond = (
  side: Side,
  route: string,
  random: () => number,
) => Answer;

export function routeWindow(
  answers: readonly Answer[],
  fields: Partial<RouteWindow> = {},
): RouteWindow {
  const errors = answers.filter(({ isError }) => isError).length;
  const unknown = answers.filter(({ isUnknown }) => isUnknown).length;
  return {
    requests: answers.length,
    errors,
    served: answers.length - errors - unknown,
    ...(unknown > 0 && { refused: { 404: unknown } }),
    latency: histogramOf(answers.map(({ latencyMs }) => latencyMs)),
    ...fields,
  };
}

export function windowPair(
  atMs: number,
  sides: Partial<Record<Side, Record<string, RouteWindow>>> = {},
  fields: Partial<WindowPair> = {},
): WindowPair {
  const side = (routes: Record<string, RouteWindow> = {}) => ({
    dealt: Object.values(routes).reduce(
      (sum, route) => sum + route.requests,
      0,
    ),
    routes: new Map(Object.entries(routes)),
  });
  return {
    proxy: "proxy@edge1:8080",
    atMs,
    share: 0.25,
    prod: side(sides.prod),
    canary: side(sides.canary),
    alone: new Map(),
    ...fields,
  };
}

/** Feeds a sequential test windows of half a second with 50 requests each, 3:1, with its own clock and responses. */
export class TestedRelease {
  readonly baseline = new Baseline();
  test = new ReleaseTest({
    startedAt: START,
    attempt: 0,
    tolerance: { ratio: 0.1, ms: 5 },
  });
  atMs = START;
  share = 0.25;
  requestsPerWindow = 50;
  routes = ["GET /get"];
  respond: Respond = healthy;
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = createSeededRandom(seed);
  }

  /** Feeds `count` windows. */
  hear(windows: number): void {
    for (let i = 0; i < windows; i++) {
      this.atMs += 500;
      this.test.observe(this.createPair(), this.baseline);
    }
  }

  createPair(): WindowPair {
    const random = this.#random;
    const ratio =
      this.share === 0.5 ? { prod: 1, canary: 1 } : { prod: 3, canary: 1 };
    const split = new Split(ratio, random);
    const answers: Record<Side, Record<string, Answer[]>> = {
      prod: {},
      canary: {},
    };
    for (let i = 0; i < this.requestsPerWindow; i++) {
      const side = split.pick();
      const route = this.routes[Math.floor(random() * this.routes.length)]!;
      (answers[side][route] ??= []).push(this.respond(side, route, random));
    }
    const sides = Object.fromEntries(
      SIDES.map((side) => [
        side,
        Object.fromEntries(
          Object.entries(answers[side]).map(([route, list]) => [
            route,
            routeWindow(list),
          ]),
        ),
      ]),
    );
    return windowPair(this.atMs, sides, { share: this.share });
  }

  judge(): Verdict {
    return this.test.judge(ALPHA, this.baseline);
  }

  /** Feeds windows until the verdict has this outcome, and returns it. */
  until(outcome: Verdict["outcome"], windows = 600): Verdict {
    for (let i = 0; i < windows; i++) {
      this.hear(1);
      const verdict = this.judge();
      if (verdict.outcome === outcome) return verdict;
    }
    throw new Error(
      `not ${outcome} after ${windows} windows: ${JSON.stringify(this.judge())}`,
    );
  }
}

/** Lognormal around 100 ms on both sides. */
export function healthy(
  _side: Side,
  _route: string,
  random: () => number,
): Answer {
  return { latencyMs: 100 * Math.exp(0.4 * normal(random)) };
}

/** The same, but slower on the canary. */
export function slowerBy(factor: number): Respond {
  return (side, route, random) => {
    const { latencyMs } = healthy(side, route, random);
    return { latencyMs: side === "canary" ? latencyMs * factor : latencyMs };
  };
}

/** Box–Muller transform. */
function normal(random: () => number): number {
  return (
    Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  );
}
