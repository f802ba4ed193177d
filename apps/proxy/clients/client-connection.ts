import { isIPv6, type BlockList, type Socket } from "node:net";
import type { ClientPeer } from "../http/headers.js";
import type { Pipeline } from "./pipeline.js";

/** The state that requests on one client connection share. */
export interface ClientConnection extends ClientPeer {
  /** A request was refused: nothing that follows it on the connection can be trusted. */
  isRefused: boolean;
  /** Present once the client has pipelined a request. */
  pipeline: Pipeline | undefined;
}

/** The connections that have carried a request. */
export class ClientConnections {
  readonly #known = new WeakMap<Socket, ClientConnection>();
  readonly #isTrusted: (address: string) => boolean;

  constructor(isTrusted: (address: string) => boolean) {
    this.#isTrusted = isTrusted;
  }

  /** Undefined if the connection closed before its first request: its address is gone then. */
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

/** @returns a function that tells whether a peer is in `list` */
export function createTrust(list: BlockList): (address: string) => boolean {
  if (list.rules.length === 0) return () => false;
  return (address) => list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}
