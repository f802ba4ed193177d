import { CopyBuffers } from "./copy-buffers.js";
import { DirectAttempt } from "./attempt.js";
import { DirectPool } from "./connection.js";
import type { Attempt, Engine, Ongoing, UpstreamLimits } from "../engine.js";
import { READ_BUFFER_BYTES } from "../upstream-socket.js";
import type { Upstream } from "../upstreams.js";

/** Forwards over plain sockets, with its own strict parser for responses. */
export class DirectEngine implements Engine {
  readonly #limits: UpstreamLimits;
  readonly #pools = new Map<Upstream, DirectPool>();
  /** Shared by all connections: bytes are relayed or copied before the next read. */
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  readonly #copies = new CopyBuffers(READ_BUFFER_BYTES);

  constructor(limits: UpstreamLimits) {
    this.#limits = limits;
  }

  forward(attempt: Attempt): Ongoing {
    const pool =
      this.#pools.get(attempt.upstream) ?? this.#createPool(attempt.upstream);
    return new DirectAttempt(attempt, pool, {
      maxHeaderBytes: this.#limits.maxHeaderBytes,
      copies: this.#copies,
    });
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
