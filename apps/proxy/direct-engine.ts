import { DirectAttempt } from "./direct-attempt.js";
import { DirectPool } from "./direct-pool.js";
import type { Attempt, Engine, Ongoing, UpstreamLimits } from "./engine.js";
import type { Upstream } from "./upstreams.js";

const READ_BUFFER_BYTES = 65_536;

/** Forwards over sockets of its own, with a strict parser of its own for what upstreams answer. */
export class DirectEngine implements Engine {
  readonly #limits: UpstreamLimits;
  readonly #pools = new Map<Upstream, DirectPool>();
  /** One for all connections: what is read is passed on, or copied, before the next read. */
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);

  constructor(limits: UpstreamLimits) {
    this.#limits = limits;
  }

  forward(attempt: Attempt): Ongoing {
    const pool =
      this.#pools.get(attempt.upstream) ?? this.#createPool(attempt.upstream);
    return new DirectAttempt(attempt, pool, this.#limits.maxHeaderBytes);
  }

  close(): void {
    for (const pool of this.#pools.values()) pool.close();
  }

  #createPool(upstream: Upstream): DirectPool {
    const pool = new DirectPool(upstream, this.#limits, this.#buffer);
    this.#pools.set(upstream, pool);
    return pool;
  }
}
