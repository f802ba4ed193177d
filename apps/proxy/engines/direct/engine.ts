import { CopyBuffers } from "./copy-buffers.js";
import { DirectAttempt } from "./attempt.js";
import { DirectConnection } from "./connection.js";
import type { Attempt, Engine, Ongoing, UpstreamLimits } from "../engine.js";
import { UpstreamConnections } from "../upstream-connections.js";
import { READ_BUFFER_BYTES } from "../upstream-socket.js";
import type { Upstream } from "../upstreams.js";

type Pool = UpstreamConnections<DirectConnection>;

/** Forwards over plain sockets, with its own strict parser for responses. */
export class DirectEngine implements Engine {
  readonly #limits: UpstreamLimits;
  readonly #pools = new Map<Upstream, Pool>();
  readonly #copies = new CopyBuffers(READ_BUFFER_BYTES);

  constructor(limits: UpstreamLimits) {
    this.#limits = limits;
  }

  forward(attempt: Attempt): Ongoing {
    const { upstream } = attempt;
    const pool = this.#pools.get(upstream) ?? this.#createPool(upstream);
    return new DirectAttempt(attempt, pool, {
      maxHeaderBytes: this.#limits.maxHeaderBytes,
      copies: this.#copies,
    });
  }

  close(): void {
    for (const pool of this.#pools.values()) pool.close();
  }

  #createPool(upstream: Upstream): Pool {
    const { connectTimeoutMs, responseTimeoutMs } = this.#limits;
    const pool = new UpstreamConnections(
      responseTimeoutMs,
      () => new DirectConnection(upstream, connectTimeoutMs),
    );
    this.#pools.set(upstream, pool);
    return pool;
  }
}
