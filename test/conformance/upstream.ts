import { once } from "node:events";
import { Server, type Socket } from "node:net";
import { waitFor } from "../support/wait-for.js";
import {
  Malformed,
  readRequest,
  readRequestHead,
  type FramedRequest,
  type RequestHead,
} from "./strict-http.js";

/** How long a connection may take to close after a FIN. */
const END_MS = 2000;

/** One of the proxy's connections to the upstream. */
export interface UpstreamConnection {
  readonly socket: Socket;
  /** Counted from 0 since the case began. */
  readonly index: number;
  /** All bytes received. */
  text: string;
  /** The complete requests among them. */
  readonly requests: FramedRequest[];
  /** Why the bytes after these requests are malformed. */
  malformed: string | undefined;
}

/** How the upstream behaves in one case. Without a handler it behaves properly. */
export interface Handlers {
  accept?: (connection: UpstreamConnection) => void;
  /** A request's head has arrived; its body may be incomplete. */
  head?: (connection: UpstreamConnection, head: RequestHead) => void;
  /** A whole request has arrived. */
  request?: (connection: UpstreamConnection, request: FramedRequest) => void;
}

/** Path prefix of requests that are always answered properly, whatever the handlers. */
export const PROBE = "/probe/";

/** An upstream that frames what it receives strictly and answers as the case wants. */
export class ScriptedUpstream {
  readonly #server: Server;
  readonly #connections: UpstreamConnection[] = [];
  readonly #open = new Set<Socket>();
  #handlers: Handlers = {};

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket) => this.#accept(socket));
  }

  static async listen(port: number): Promise<ScriptedUpstream> {
    const server = new Server({ noDelay: true, allowHalfOpen: true });
    const upstream = new ScriptedUpstream(server);
    server.listen({ port, host: "127.0.0.1", backlog: 4096 });
    await once(server, "listening");
    return upstream;
  }

  /** All connections since the case began, including closed ones. */
  get connections(): readonly UpstreamConnection[] {
    return this.#connections;
  }

  /** Connections that are open now. */
  get openCount(): number {
    return this.#open.size;
  }

  /** Every complete request since the case began, except probes. */
  get requests(): FramedRequest[] {
    return this.#connections
      .flatMap(({ requests }) => requests)
      .filter(({ target }) => !target.startsWith(PROBE));
  }

  handle(handlers: Handlers): void {
    this.#handlers = handlers;
  }

  /** Waits until a connection has received `text`. */
  async sees(text: string): Promise<UpstreamConnection> {
    return await waitFor(`${JSON.stringify(text)} at the upstream`, () =>
      this.#connections.find((connection) => connection.text.includes(text)),
    );
  }

  /** Closes every connection with a FIN and clears the records, for the next case. */
  async reset(): Promise<void> {
    this.#handlers = {};
    for (const socket of this.#open) socket.end();
    await waitFor(
      "all connections to close",
      () => this.#open.size === 0,
      END_MS,
    ).catch(() => {
      for (const socket of this.#open) socket.destroy();
    });
    this.#connections.length = 0;
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #accept(socket: Socket): void {
    const connection: UpstreamConnection = {
      socket,
      index: this.#connections.length,
      text: "",
      requests: [],
      malformed: undefined,
    };
    this.#connections.push(connection);
    this.#open.add(socket);
    socket.once("close", () => this.#open.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.on("end", () => socket.end());
    const framer = new Framer(connection);
    socket.setEncoding("latin1").on("data", (piece: string) => {
      connection.text += piece;
      framer.push(piece, {
        head: (head) => this.#handlers.head?.(connection, head),
        request: (request) => this.#answer(connection, request),
      });
    });
    this.#handlers.accept?.(connection);
  }

  #answer(connection: UpstreamConnection, request: FramedRequest): void {
    connection.requests.push(request);
    if (
      this.#handlers.request === undefined ||
      request.target.startsWith(PROBE)
    )
      connection.socket.write(echo(request));
    else this.#handlers.request(connection, request);
  }
}

/** A proper response that names the request that it answers. */
export function echo(request: FramedRequest): string {
  const body = echoBody(request);
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`;
  return request.method === "HEAD" ? head : head + body;
}

export function echoBody(request: {
  method: string;
  target: string;
  body: string;
}): string {
  return `${request.method} ${request.target} ${request.body.length}`;
}

class Framer {
  readonly #connection: UpstreamConnection;
  #pending = "";
  #headSeen = false;

  constructor(connection: UpstreamConnection) {
    this.#connection = connection;
  }

  push(
    piece: string,
    on: {
      head: (head: RequestHead) => void;
      request: (request: FramedRequest) => void;
    },
  ): void {
    if (this.#connection.malformed !== undefined) return;
    this.#pending += piece;
    try {
      while (this.#pending !== "") {
        const head = this.#headSeen
          ? undefined
          : readRequestHead(this.#pending);
        if (head !== undefined) {
          this.#headSeen = true;
          on.head(head.message);
        }
        const read = this.#headSeen ? readRequest(this.#pending) : undefined;
        if (read === undefined) return;
        this.#headSeen = false;
        this.#pending = read.rest;
        on.request(read.message);
      }
    } catch (err) {
      if (!(err instanceof Malformed)) throw err;
      this.#connection.malformed = err.message;
      this.#connection.socket.destroy();
    }
  }
}
