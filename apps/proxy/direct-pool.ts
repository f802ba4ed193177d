import { SilenceWatch } from "../../lib/silence-watch.js";
import { DirectConnection } from "./direct-connection.js";
import type { UpstreamLimits } from "./engine.js";
import { IdleStack } from "./idle-stack.js";
import { connectUpstream } from "./upstream-socket.js";
import type { Upstream } from "./upstreams.js";

/** An upstream's connections, as many as there are exchanges at once. */
export class DirectPool {
  readonly #upstream: Upstream;
  readonly #limits: UpstreamLimits;
  readonly #buffer: Buffer;
  readonly #idle = new IdleStack<DirectConnection>();
  readonly #open = new Set<DirectConnection>();
  readonly #silence: SilenceWatch<DirectConnection>;

  /** @param buffer what is read goes there first */
  constructor(upstream: Upstream, limits: UpstreamLimits, buffer: Buffer) {
    this.#upstream = upstream;
    this.#limits = limits;
    this.#buffer = buffer;
    this.#silence = new SilenceWatch(limits.responseMs, (silent) => {
      for (const connection of silent) connection.onSilent();
    });
  }

  /** @param fresh not one that has been used before */
  take(fresh: boolean): DirectConnection {
    return (fresh ? undefined : this.#idle.pop()) ?? this.#connect();
  }

  /** Keeps a connection for the next exchange. @param grant the value of the response's `Keep-Alive`, if any */
  giveBack(connection: DirectConnection, grant: string | undefined): void {
    connection.release();
    this.#idle.setGrant(grant);
    this.#idle.push(connection);
  }

  close(): void {
    this.#idle.close();
    this.#silence.close();
    for (const { socket } of this.#open) socket.destroy();
  }

  #connect(): DirectConnection {
    const { connectMs } = this.#limits;
    const connection = new DirectConnection({
      connect: (onread) => connectUpstream(this.#upstream, connectMs, onread),
      buffer: this.#buffer,
    });
    this.#open.add(connection);
    const { socket } = connection;
    socket.once("connect", () => this.#silence.add(socket, connection));
    socket.once("close", () => {
      this.#open.delete(connection);
      this.#idle.remove(connection);
    });
    return connection;
  }
}
