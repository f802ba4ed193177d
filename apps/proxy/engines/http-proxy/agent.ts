import { Agent, type ClientRequest } from "node:http";
import type { OnReadOpts, Socket } from "node:net";
import { PooledConnection } from "./connection.js";
import { UpstreamConnections } from "../upstream-connections.js";

interface PoolOptions {
  connect: (onread: OnReadOpts) => Socket;
  /** Receives what is read; pools may share it. */
  buffer: Buffer;
  /** Called for each request: whether it needs a new connection. */
  mustBeFresh: () => boolean;
  /** From the last byte that moved to the response timeout. */
  timeoutMs: number;
}

/** An agent that keeps an upstream's connections for reuse. */
export class ConnectionPool extends Agent {
  readonly #options: PoolOptions;
  readonly #connections: UpstreamConnections<PooledConnection>;
  #last: PooledConnection | undefined;

  constructor(options: PoolOptions) {
    super({ keepAlive: true });
    this.#options = options;
    this.#connections = new UpstreamConnections(options.timeoutMs);
  }

  /** http.ClientRequest calls this to get a socket. */
  addRequest(request: ClientRequest): void {
    const isFresh = this.#options.mustBeFresh();
    const idle = isFresh ? undefined : this.#connections.takeIdle();
    const connection = idle ?? this.#openConnection();
    connection.carry(request);
    this.#last = connection;
    request.reusedSocket = idle !== undefined;
    request.onSocket(connection.socket);
  }

  /** The connection of the request that was just made. */
  takeLast(): PooledConnection {
    const last = this.#last;
    this.#last = undefined;
    if (last === undefined) throw new Error("no request was made");
    return last;
  }

  close(): void {
    this.#connections.close();
  }

  #openConnection(): PooledConnection {
    const connection: PooledConnection = new PooledConnection({
      ...this.#options,
      onFree: (grant) => this.#connections.giveBack(connection, grant),
    });
    this.#connections.add(connection);
    return connection;
  }
}
