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

/**
 * @returns a function that finds a socket's connection; undefined if it closed before its first request, as its address is
 * gone then
 */
export function createClients(
  isTrusted: (address: string) => boolean,
): (socket: Socket) => ClientConnection | undefined {
  const known = new WeakMap<Socket, ClientConnection>();
  return (socket) => {
    const found = known.get(socket);
    if (found !== undefined || socket.remoteAddress === undefined) return found;
    const address = socket.remoteAddress.replace(/^::ffff:/, "");
    const connection: ClientConnection = {
      address,
      isTrusted: isTrusted(address),
      isRefused: false,
      pipeline: undefined,
    };
    known.set(socket, connection);
    return connection;
  };
}

/** @returns a function that tells whether a peer is in `list` */
export function createTrust(list: BlockList): (address: string) => boolean {
  if (list.rules.length === 0) return () => false;
  return (address) => list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}
