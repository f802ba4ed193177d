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

/** The longest that a connection may take to end in order, once asked to. */
const END_MS = 2000;

/** What became of one of the proxy's connections to the upstream. */
export interface UpstreamConnection {
  readonly socket: Socket;
  /** Which one it is, from 0, since the case began. */
  readonly index: number;
  /** All that has arrived on it. */
  text: string;
  /** The complete requests that it framed. */
  readonly requests: FramedRequest[];
  /** What was wrong with what followed them. */
  malformed: string | undefined;
}

/** How the upstream behaves in one case; what is left out it does properly. */
export interface Play {
  accept?: (connection: UpstreamConnection) => void;
  /** A request's head is there, its body may be still to come. */
  head?: (connection: UpstreamConnection, head: RequestHead) => void;
  /** A whole request is there. */
  request?: (connection: UpstreamConnection, request: FramedRequest) => void;
}

/** The start of the path of requests that are answered properly whatever the play. */
export const PROBE = "/probe/";

/** An upstream that frames what it receives by the letter, and answers as the case wants. */
export class ScriptedUpstream {
  readonly #server: Server;
  readonly #connections: UpstreamConnection[] = [];
  readonly #open = new Set<Socket>();
  #play: Play = {};

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

  /** Since the case began, also those that have ended. */
  get connections(): readonly UpstreamConnection[] {
    return this.#connections;
  }

  /** How many are open now. */
  get openCount(): number {
    return this.#open.size;
  }

  /** Every complete request since the case began, probes left out. */
  get requests(): FramedRequest[] {
    return this.#connections
      .flatMap(({ requests }) => requests)
      .filter(({ target }) => !target.startsWith(PROBE));
  }

  play(play: Play): void {
    this.#play = play;
  }

  /** Waits until a connection has received `text`. */
  async sees(text: string): Promise<UpstreamConnection> {
    return await waitFor(`${JSON.stringify(text)} at the upstream`, () =>
      this.#connections.find((connection) => connection.text.includes(text)),
    );
  }

  /** Ends every connection in order and forgets what was seen: the next case begins with none. */
  async reset(): Promise<void> {
    this.#play = {};
    for (const socket of this.#open) socket.end();
    await waitFor("the end", () => this.#open.size === 0, END_MS).catch(() => {
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
        head: (head) => this.#play.head?.(connection, head),
        request: (request) => this.#answer(connection, request),
      });
    });
    this.#play.accept?.(connection);
  }

  #answer(connection: UpstreamConnection, request: FramedRequest): void {
    connection.requests.push(request);
    if (this.#play.request === undefined || request.target.startsWith(PROBE))
      connection.socket.write(echo(request));
    else this.#play.request(connection, request);
  }
}

/** A proper answer that tells which request it answers. */
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
