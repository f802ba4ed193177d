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

/** The URLs of one side, used in turn. They stay in turn even if all are down: one may be back. */
export class Upstreams {
  readonly all: readonly Upstream[];
  readonly #avoidUntil = new Map<Upstream, number>();
  #turn = 0;

  /** @param origins at least one */
  constructor(side: Side, origins: readonly URL[]) {
    this.all = origins.map((origin) => {
      const host = origin.hostname.replace(/^\[|\]$/g, "");
      const port = origin.port === "" ? 80 : Number(origin.port);
      return { side, host, port, name: `${host}:${port}` };
    });
  }

  /** @param now monotonic ms @param except skipped unless it is the only one */
  next(now: number, except?: Upstream): Upstream {
    const [only] = this.all;
    if (only !== undefined && this.all.length === 1) return only;
    const upstream =
      this.#takeTurn((it) => it !== except && !this.#isAvoided(it, now)) ??
      this.#takeTurn((it) => it !== except) ??
      this.#takeTurn(() => true);
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

  /** The next in turn that `accepts`; if there is none, the turn does not move. */
  #takeTurn(accepts: (upstream: Upstream) => boolean): Upstream | undefined {
    const { length } = this.all;
    for (let passed = 0; passed < length; passed++) {
      const index = (this.#turn + passed) % length;
      const upstream = this.all[index];
      if (upstream === undefined || !accepts(upstream)) continue;
      this.#turn = (index + 1) % length;
      return upstream;
    }
    return undefined;
  }
}
