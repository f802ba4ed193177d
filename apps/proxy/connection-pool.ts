import { Agent, type ClientRequest, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { IdleStack } from "./idle-stack.js";

interface Connection {
  readonly socket: Socket;
  /** Its last one. */
  request: ClientRequest | undefined;
  /** To its last request; undefined until it comes. */
  response: IncomingMessage | undefined;
}

/**
 * Keeps an upstream's connections for reuse by http.ClientRequest. A connection on which a byte arrives behind a complete
 * response is destroyed: it would be taken for the next request's response.
 */
export class ConnectionPool extends Agent {
  readonly #connect: () => Socket;
  readonly #mustBeFresh: () => boolean;
  readonly #timeoutMs: number;
  readonly #idle = new IdleStack<Connection>();
  readonly #open = new Set<Socket>();

  /**
   * `mustBeFresh` is asked for each request whether it may not reuse a connection. A request gets a `timeout` when no
   * byte has moved for `timeoutMs` before its response: one timer a connection, where ClientRequest would set one a request.
   */
  constructor(options: {
    connect: () => Socket;
    mustBeFresh: () => boolean;
    timeoutMs: number;
  }) {
    super({ keepAlive: true });
    this.#timeoutMs = options.timeoutMs;
    this.#connect = options.connect;
    this.#mustBeFresh = options.mustBeFresh;
  }

  /** What http.ClientRequest calls on its agent to be given a socket. */
  addRequest(request: ClientRequest): void {
    const idle = this.#mustBeFresh() ? undefined : this.#idle.pop();
    const connection = idle ?? this.#openConnection();
    connection.request = request;
    connection.response = undefined;
    request.once("response", (response) => {
      connection.response = response;
      this.#idle.setGrant(response.headers["keep-alive"]?.toString());
    });
    request.reusedSocket = idle !== undefined;
    request.onSocket(connection.socket);
  }

  close(): void {
    this.#idle.close();
    for (const socket of this.#open) socket.destroy();
  }

  #openConnection(): Connection {
    const socket = this.#connect();
    const connection: Connection = {
      socket,
      request: undefined,
      response: undefined,
    };
    this.#open.add(socket);
    // http.ClientRequest emits `free` when its response is complete and the connection may carry another request.
    socket.on("free", () => {
      if (!socket.destroyed && socket.writable) this.#idle.push(connection);
    });
    socket.on("data", () => {
      if (connection.response?.complete === true) socket.destroy();
    });
    socket.once("connect", () => socket.setTimeout(this.#timeoutMs));
    socket.on("timeout", () => {
      if (connection.response === undefined)
        connection.request?.emit("timeout");
    });
    socket.on("error", () => socket.destroy());
    socket.once("close", () => {
      this.#open.delete(socket);
      this.#idle.remove(connection);
    });
    return connection;
  }
}
