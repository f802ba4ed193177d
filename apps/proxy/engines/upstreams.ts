import type { Side } from "../../../lib/telemetry/telemetry.js";

/** How long a URL is avoided after a failed connect, if its side has others. */
const AVOID_MS = 2000;

/** One URL of one side. */
export interface Upstream {
  readonly side: Side;
  readonly host: string;
  readonly port: number;
  /** `10.0.0.11:3001` */
  readonly name: string;
}

/** Takes each URL at most once. */
export interface Round {
  /** Whether all URLs so far were taken in the order that was drawn before the first. */
  isAsDrawn: boolean;
}

/**
 * The URLs of one side, used in turn: each round has every URL once, in random order, so that chance alone decides which of
 * them gets a request. They stay in turn even if all are down: one may be back.
 */
export class Upstreams {
  readonly all: readonly Upstream[];
  readonly #random: () => number;
  readonly #avoidUntil = new Map<Upstream, number>();
  #round: Round = { isAsDrawn: true };
  #order: Upstream[];
  /** The URLs that were taken, which are the first in the order. */
  #taken: number;

  /** @param origins at least one @param random uniform in [0, 1) */
  constructor(side: Side, origins: readonly URL[], random: () => number) {
    this.all = origins.map((origin) => {
      const host = origin.hostname.replace(/^\[|\]$/g, "");
      const port = origin.port === "" ? 80 : Number(origin.port);
      return { side, host, port, name: `${host}:${port}` };
    });
    this.#random = random;
    this.#order = [...this.all];
    this.#taken = this.all.length;
  }

  /** Of the last URL. */
  get round(): Round {
    return this.#round;
  }

  /** @param now monotonic ms @param except skipped unless it is the only one */
  next(now: number, except?: Upstream): Upstream {
    const [only] = this.all;
    if (only !== undefined && this.all.length === 1) return only;
    const upstream =
      this.#take((it) => it !== except && !this.#isAvoided(it, now)) ??
      this.#take((it) => it !== except) ??
      this.#take(() => true);
    if (upstream === undefined)
      throw new RangeError("a side needs at least one URL");
    return upstream;
  }

  /** Call after each failure to connect. */
  avoid(upstream: Upstream, now: number): void {
    this.#avoidUntil.set(upstream, now + AVOID_MS);
  }

  #isAvoided(upstream: Upstream, now: number): boolean {
    return (this.#avoidUntil.get(upstream) ?? 0) > now;
  }

  /** The next in this round that `accepts`, or in a new one. */
  #take(accepts: (upstream: Upstream) => boolean): Upstream | undefined {
    if (!this.all.some(accepts)) return undefined;
    let at = this.#findLeft(accepts);
    if (at < 0) {
      this.#draw();
      at = this.#findLeft(accepts);
    }
    const upstream = this.#order[at];
    if (upstream === undefined) return undefined;
    if (at !== this.#taken) {
      this.#round.isAsDrawn = false;
      this.#order.splice(at, 1);
      this.#order.splice(this.#taken, 0, upstream);
    }
    this.#taken += 1;
    return upstream;
  }

  #findLeft(accepts: (upstream: Upstream) => boolean): number {
    const { length } = this.#order;
    for (let at = this.#taken; at < length; at++) {
      const upstream = this.#order[at];
      if (upstream !== undefined && accepts(upstream)) return at;
    }
    return -1;
  }

  /** Begins a round (Knuth, TAOCP vol. 2, 3.4.2, algorithm P). */
  #draw(): void {
    const order = this.#order;
    for (let last = order.length - 1; last > 0; last--) {
      const at = Math.floor(this.#random() * (last + 1));
      const [drawn, moved] = [order[at], order[last]];
      if (drawn === undefined || moved === undefined) continue;
      order[at] = moved;
      order[last] = drawn;
    }
    this.#round = { isAsDrawn: true };
    this.#taken = 0;
  }
}
