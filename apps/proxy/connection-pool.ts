import { Agent, type ClientRequest, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";

/** The longest that an idle connection is kept; Node's own servers close theirs after 5 s. */
const IDLE_LIMIT_MS = 4000;
/** The share of the time granted by an upstream (`Keep-Alive: timeout=`) that is used, so that our end comes first. */
const GRANT_SHARE = 0.8;
const SWEEP_INTERVAL_MS = 1000;
const TCP_KEEP_ALIVE_MS = 15_000;

export class ConnectTimeoutError extends Error {}

/** A TCP connection that fails with ConnectTimeoutError if it does not stand within `timeoutMs`. */
export function connectUpstream(
  address: { host: string; port: number },
  timeoutMs: number,
): Socket {
  const socket = connect({
    ...address,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
  });
  const timer = setTimeout(() => {
    socket.destroy(
      new ConnectTimeoutError(
        `no connection to ${address.host}:${address.port} in ${timeoutMs} ms`,
      ),
    );
  }, timeoutMs);
  const stop = () => clearTimeout(timer);
  socket.once("connect", stop).once("close", stop);
  return socket;
}

interface Connection {
  readonly socket: Socket;
  /** To its last request; undefined until it comes. */
  response: IncomingMessage | undefined;
  /** Monotonic ms; undefined while it carries a request. */
  idleSince: number | undefined;
}

/**
 * Keeps an upstream's connections for reuse, the last used first. A connection on which a byte arrives behind a complete
 * response is destroyed: it would be taken for the next request's response.
 */
export class ConnectionPool extends Agent {
  readonly #connect: () => Socket;
  readonly #mustBeFresh: () => boolean;
  /** A stack, the longest idle at the bottom. */
  readonly #idle: Connection[] = [];
  readonly #open = new Set<Socket>();
  readonly #sweep: NodeJS.Timeout;
  #idleLimitMs = IDLE_LIMIT_MS;

  /** `mustBeFresh` is asked for each request whether it may not reuse a connection. */
  constructor(options: { connect: () => Socket; mustBeFresh: () => boolean }) {
    super({ keepAlive: true });
    this.#connect = options.connect;
    this.#mustBeFresh = options.mustBeFresh;
    this.#sweep = setInterval(
      () => this.#endStale(performance.now()),
      SWEEP_INTERVAL_MS,
    );
    this.#sweep.unref();
  }

  /** What http.ClientRequest calls on its agent to be given a socket. */
  addRequest(request: ClientRequest): void {
    const idle = this.#mustBeFresh() ? undefined : this.#takeIdle();
    const connection = idle ?? this.#openConnection();
    connection.response = undefined;
    request.once("response", (response) => {
      connection.response = response;
      this.#idleLimitMs = idleLimitOf(response);
    });
    request.reusedSocket = idle !== undefined;
    request.onSocket(connection.socket);
  }

  close(): void {
    clearInterval(this.#sweep);
    for (const socket of this.#open) socket.destroy();
  }

  #takeIdle(): Connection | undefined {
    for (
      let top = this.#idle.pop();
      top !== undefined;
      top = this.#idle.pop()
    ) {
      const idleMs = performance.now() - (top.idleSince ?? 0);
      top.idleSince = undefined;
      if (!top.socket.destroyed && idleMs < this.#idleLimitMs) return top;
      top.socket.destroy();
    }
    return undefined;
  }

  #openConnection(): Connection {
    const socket = this.#connect();
    const connection: Connection = {
      socket,
      response: undefined,
      idleSince: undefined,
    };
    this.#open.add(socket);
    // http.ClientRequest emits `free` when its response is complete and the connection may carry another request.
    socket.on("free", () => {
      if (socket.destroyed || !socket.writable) return;
      connection.idleSince = performance.now();
      this.#idle.push(connection);
    });
    socket.on("data", () => {
      if (connection.response?.complete === true) socket.destroy();
    });
    socket.on("error", () => socket.destroy());
    socket.once("close", () => {
      this.#open.delete(socket);
      const index = this.#idle.indexOf(connection);
      if (index >= 0) this.#idle.splice(index, 1);
    });
    return connection;
  }

  #endStale(now: number): void {
    while (
      this.#idle[0]?.idleSince !== undefined &&
      now - this.#idle[0].idleSince >= this.#idleLimitMs
    ) {
      this.#idle.shift()?.socket.destroy();
    }
  }
}

function idleLimitOf({ headers }: IncomingMessage): number {
  const [, grantedS] =
    /\btimeout=(\d+)/.exec(String(headers["keep-alive"])) ?? [];
  return grantedS === undefined
    ? IDLE_LIMIT_MS
    : Math.min(IDLE_LIMIT_MS, Number(grantedS) * 1000 * GRANT_SHARE);
}
