import { Agent, type ClientRequest } from "node:http";
import type { OnReadOpts, Socket } from "node:net";
import { PooledConnection } from "./connection.js";
import { UpstreamConnections } from "../upstream-connections.js";

/** An agent that keeps an upstream's connections for reuse. */
export class ConnectionPool extends Agent {
  readonly #connect: (onread: OnReadOpts) => Socket;
  readonly #buffer: Buffer;
  readonly #mustBeFresh: () => boolean;
  readonly #connections: UpstreamConnections<PooledConnection>;
  #last: PooledConnection | undefined;

  /**
   * @param options.buffer receives what is read; pools may share it
   * @param options.mustBeFresh called for each request: whether it needs a new connection
   * @param options.timeoutMs from the last byte that moved to the response timeout
   */
  constructor(options: {
    connect: (onread: OnReadOpts) => Socket;
    buffer: Buffer;
    mustBeFresh: () => boolean;
    timeoutMs: number;
  }) {
    super({ keepAlive: true });
    this.#connections = new UpstreamConnections(options.timeoutMs);
    this.#connect = options.connect;
    this.#buffer = options.buffer;
    this.#mustBeFresh = options.mustBeFresh;
  }

  /** http.ClientRequest calls this to get a socket. */
  addRequest(request: ClientRequest): void {
    const idle = this.#mustBeFresh() ? undefined : this.#connections.takeIdle();
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
      buffer: this.#buffer,
      connect: this.#connect,
      onFree: (grant) => this.#connections.giveBack(connection, grant),
    });
    this.#connections.add(connection);
    return connection;
  }
}
