import { Agent, type ClientRequest } from "node:http";
import type { Socket } from "node:net";
import { IdleStack } from "./idle-stack.js";
import { ResponseGuard } from "./response-guard.js";

interface Connection {
  readonly socket: Socket;
  /** Its last one. */
  request: ClientRequest | undefined;
  /** Whether the response to it has come. */
  isAnswered: boolean;
  /** Of the response to its last request. */
  guard: ResponseGuard;
}

/**
 * Keeps an upstream's connections for reuse by http.ClientRequest. A connection on which a byte arrives behind a complete
 * response, in the same piece or later, is destroyed: it would be taken for the next request's response.
 */
export class ConnectionPool extends Agent {
  readonly #connect: () => Socket;
  readonly #mustBeFresh: () => boolean;
  readonly #timeoutMs: number;
  readonly #maxHeadBytes: number;
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
    /** Of a response's head. */
    maxHeadBytes: number;
  }) {
    super({ keepAlive: true });
    this.#timeoutMs = options.timeoutMs;
    this.#maxHeadBytes = options.maxHeadBytes;
    this.#connect = options.connect;
    this.#mustBeFresh = options.mustBeFresh;
  }

  /** What http.ClientRequest calls on its agent to be given a socket. */
  addRequest(request: ClientRequest): void {
    const idle = this.#mustBeFresh() ? undefined : this.#idle.pop();
    const guard = new ResponseGuard({
      answersHead: request.method === "HEAD",
      maxHeadBytes: this.#maxHeadBytes,
    });
    const connection = idle ?? this.#openConnection(guard);
    connection.guard = guard;
    connection.request = request;
    connection.isAnswered = false;
    request.once("response", (response) => {
      connection.isAnswered = true;
      this.#idle.setGrant(response.headers["keep-alive"]?.toString());
    });
    request.reusedSocket = idle !== undefined;
    request.onSocket(connection.socket);
  }

  close(): void {
    this.#idle.close();
    for (const socket of this.#open) socket.destroy();
  }

  #openConnection(guard: ResponseGuard): Connection {
    const socket = this.#connect();
    const connection: Connection = {
      socket,
      request: undefined,
      isAnswered: false,
      guard,
    };
    this.#open.add(socket);
    // http.ClientRequest emits `free` when its response is complete and the connection may carry another request.
    socket.on("free", () => {
      if (!socket.writable || !connection.guard.isComplete) socket.destroy();
      else this.#idle.push(connection);
    });
    socket.on("data", (bytes: Buffer) => {
      if (connection.guard.isComplete) socket.destroy();
      else connection.guard.push(bytes);
    });
    socket.once("connect", () => socket.setTimeout(this.#timeoutMs));
    socket.on("timeout", () => {
      if (!connection.isAnswered) connection.request?.emit("timeout");
    });
    socket.on("error", () => socket.destroy());
    socket.once("close", () => {
      this.#open.delete(socket);
      this.#idle.remove(connection);
    });
    return connection;
  }
}
