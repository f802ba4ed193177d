import { Agent, type ClientRequest } from "node:http";
import { PooledConnection } from "./connection.js";
import type { UpstreamLimits } from "../engine.js";
import { UpstreamConnections } from "../upstream-connections.js";
import type { Upstream } from "../upstreams.js";

/** An agent that keeps an upstream's connections for reuse. */
export class ConnectionPool extends Agent {
  /** Whether the next request needs a new connection. */
  mustBeFresh = false;
  /** The connection of the request that was made last. */
  last: PooledConnection | undefined;
  readonly #connections: UpstreamConnections<PooledConnection>;

  constructor(upstream: Upstream, limits: UpstreamLimits) {
    super({ keepAlive: true });
    this.#connections = new UpstreamConnections(limits.responseTimeoutMs, () =>
      this.#open(new PooledConnection(upstream, limits)),
    );
  }

  /** http.ClientRequest calls this to get a socket. */
  addRequest(request: ClientRequest): void {
    const connection = this.#connections.take(this.mustBeFresh);
    connection.carry(request);
    this.last = connection;
    request.reusedSocket = connection.isReused;
    request.onSocket(connection.socket);
  }

  close(): void {
    this.#connections.close();
  }

  #open(connection: PooledConnection): PooledConnection {
    // Emitted by http.ClientRequest when the connection may carry another request.
    connection.socket.on("free", () => {
      if (connection.release())
        this.#connections.giveBack(
          connection,
          connection.readFraming().keepAliveGrant,
        );
      else connection.socket.destroy();
    });
    return connection;
  }
}
