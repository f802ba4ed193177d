import { isIPv6, type BlockList, type Socket } from "node:net";
import type { ClientPeer } from "../http/headers.js";
import type { Pipeline } from "./pipeline.js";

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

/** Tells whether a peer is in `list`. */
export function createTrust(list: BlockList): (address: string) => boolean {
  if (list.rules.length === 0) return () => false;
  return (address) => list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}
