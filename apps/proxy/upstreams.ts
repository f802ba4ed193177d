import type { Side } from "../../lib/telemetry.js";

/** How long a URL that could not be connected to is passed over while its side has others. */
const AVOID_MS = 2000;

/** One URL of one side. */
export interface Upstream {
  readonly side: Side;
  readonly host: string;
  readonly port: number;
}

/** The URLs of one side, taking turns. If all of them are down, they still take turns: one may be back. */
export class Upstreams {
  readonly all: readonly Upstream[];
  readonly #avoidUntil = new Map<Upstream, number>();
  #turn = 0;

  /** @param origins at least one */
  constructor(side: Side, origins: readonly URL[]) {
    this.all = origins.map(({ hostname, port }) => ({
      side,
      host: hostname.replace(/^\[|\]$/g, ""),
      port: port === "" ? 80 : Number(port),
    }));
  }

  /** @param now monotonic ms @param except passed over unless it is the only one */
  next(now: number, except?: Upstream): Upstream {
    const first = this.#takeTurn();
    let candidate = first;
    for (
      let tries = 1;
      tries < this.all.length &&
      (candidate === except || this.#isAvoided(candidate, now));
      tries++
    ) {
      candidate = this.#takeTurn();
    }
    return candidate === except ? first : candidate;
  }

  /** To be told of each failure to connect. */
  avoid(upstream: Upstream, now: number): void {
    this.#avoidUntil.set(upstream, now + AVOID_MS);
  }

  #isAvoided(upstream: Upstream, now: number): boolean {
    return (this.#avoidUntil.get(upstream) ?? 0) > now;
  }

  #takeTurn(): Upstream {
    const upstream = this.all[this.#turn % this.all.length];
    this.#turn = (this.#turn + 1) % this.all.length;
    if (upstream === undefined)
      throw new RangeError("a side needs at least one URL");
    return upstream;
  }
}
