import type { Split } from "../../apps/proxy/dealing/split.js";
import type { Side } from "../../lib/telemetry/telemetry.js";
import type { CreateEffect, Effect } from "./effects.js";
import { exponential, LAWS, type LawName, type Random } from "./laws.js";

/** For both sides, unless the canary fails more. */
const ERROR_RATIO = 0.001;

export interface Route {
  name: string;
  weight: (at: number) => number;
  /** Of the law's latency. */
  factor: number;
  /** More, on the canary. */
  canaryFactor?: number;
}

export interface Traffic {
  law: LawName;
  perSecond: number;
  /** Of the usual rate. */
  load?: (at: number) => number;
  routes?: readonly Route[];
  effects: readonly CreateEffect[];
  /** The canary's ratio of errors, on this route or all. */
  errors?: { ratio: number; route?: string };
}

export interface SimulatedRequest {
  /** Seconds since the release. */
  at: number;
  side: Side;
  route: string;
  latencyMs: number;
  isError: boolean;
  /** Whether it is the last of its deck. */
  isLast: boolean;
}

const ONE_ROUTE: Route[] = [{ name: "GET /", weight: () => 1, factor: 1 }];

/** One service's requests in the order of their arrival, which is a Poisson process. */
export class Arrivals {
  readonly #traffic: Traffic;
  readonly #random: Random;
  readonly #effects: Effect[];
  #at: number;

  constructor(traffic: Traffic, random: Random, fromSecond: number) {
    this.#traffic = traffic;
    this.#random = random;
    this.#effects = traffic.effects.map((create) => create(random));
    this.#at = fromSecond + this.#pause(fromSecond);
  }

  /** @param split undefined: all are prod's */
  *until(
    second: number,
    split: Split | undefined,
  ): Generator<SimulatedRequest, void> {
    const random = this.#random;
    const { law, errors } = this.#traffic;
    while (this.#at < second) {
      const at = this.#at;
      this.#at += this.#pause(at);
      const side = split?.pick() ?? "prod";
      const { name: route, factor, canaryFactor = 1 } = this.#drawRoute(at);
      let latencyMs = LAWS[law](random) * factor;
      if (side === "canary") latencyMs *= canaryFactor;
      for (const effect of this.#effects)
        latencyMs = effect(latencyMs, { at, side });
      const isChanged =
        side === "canary" && errors && (errors.route ?? route) === route;
      const isError = random() < (isChanged ? errors.ratio : ERROR_RATIO);
      const isLast = split?.isAtStart ?? false;
      yield { at, side, route, latencyMs, isError, isLast };
    }
  }

  #pause(at: number): number {
    const { perSecond, load } = this.#traffic;
    return exponential(this.#random) / (perSecond * (load?.(at) ?? 1));
  }

  #drawRoute(at: number): Route {
    const { routes = ONE_ROUTE } = this.#traffic;
    let left =
      this.#random() * routes.reduce((sum, { weight }) => sum + weight(at), 0);
    for (const route of routes) {
      left -= route.weight(at);
      if (left < 0) return route;
    }
    return routes[0] ?? ONE_ROUTE[0]!;
  }
}
