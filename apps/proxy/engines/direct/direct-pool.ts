import { DirectConnection } from "./connection.js";
import type { UpstreamLimits } from "../engine.js";
import { UpstreamConnections } from "../upstream-connections.js";
import { connectUpstream } from "../upstream-socket.js";
import type { Upstream } from "../upstreams.js";

/** An upstream's connections, as many as there are exchanges at once. */
export class DirectPool {
  readonly #upstream: Upstream;
  readonly #connectMs: number;
  readonly #buffer: Buffer;
  readonly #connections: UpstreamConnections<DirectConnection>;

  /** @param buffer what is read goes there first */
  constructor(upstream: Upstream, limits: UpstreamLimits, buffer: Buffer) {
    this.#upstream = upstream;
    this.#connectMs = limits.connectMs;
    this.#buffer = buffer;
    this.#connections = new UpstreamConnections(limits.responseMs);
  }

  /** @param fresh not one that has been used before */
  take(fresh: boolean): DirectConnection {
    const idle = fresh ? undefined : this.#connections.takeIdle();
    return idle ?? this.#connect();
  }

  /** Keeps a connection for the next exchange. @param grant the value of the response's `Keep-Alive`, if any */
  giveBack(connection: DirectConnection, grant: string | undefined): void {
    connection.release();
    this.#connections.giveBack(connection, grant);
  }

  close(): void {
    this.#connections.close();
  }

  #connect(): DirectConnection {
    const connection = new DirectConnection({
      connect: (onread) =>
        connectUpstream(this.#upstream, this.#connectMs, onread),
      buffer: this.#buffer,
    });
    this.#connections.add(connection);
    return connection;
  }
}
