import type { Socket } from "node:net";
import type { Pipeline } from "./pipeline.js";

/** A client as the far end of a connection. */
export interface ClientPeer {
  /** IPv4 in its own form, also on a dual-stack socket. */
  readonly address: string;
  /** Whether its X-Forwarded-* and Forwarded are believed: kept, and appended to. */
  readonly isTrusted: boolean;
}

/** What a client's requests on one connection share. */
export interface ClientConnection extends ClientPeer {
  /** A request was refused: what follows, already read or not, is not to be trusted. */
  isRefused: boolean;
  /** Once it has sent a request ahead. */
  pipeline: Pipeline | undefined;
}

/** The connections that have brought a request. */
export class ClientConnections {
  readonly #known = new WeakMap<Socket, ClientConnection>();
  readonly #isTrusted: (address: string) => boolean;

  constructor(isTrusted: (address: string) => boolean) {
    this.#isTrusted = isTrusted;
  }

  /** Undefined for one that has gone, and its address with it, before its first request was looked at. */
  of(socket: Socket): ClientConnection | undefined {
    return this.#known.get(socket) ?? this.#enter(socket);
  }

  #enter(socket: Socket): ClientConnection | undefined {
    if (socket.remoteAddress === undefined) return undefined;
    const address = socket.remoteAddress.replace(/^::ffff:/, "");
    const connection: ClientConnection = {
      address,
      isTrusted: this.#isTrusted(address),
      isRefused: false,
      pipeline: undefined,
    };
    this.#known.set(socket, connection);
    return connection;
  }
}
