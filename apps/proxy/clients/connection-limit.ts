import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { ConnectionCount } from "./connection-count.js";

/** Connections beyond the limit that may wait to be told so; those beyond these are closed as they come. */
const EXCESS_LIMIT = 1000;

/** Limits a server's connections. Those beyond the limit are accepted, so that their requests can be answered by 503. */
export class ConnectionLimit {
  readonly #max: number;
  readonly #count: ConnectionCount;
  readonly #excess = new Set<Socket>();

  /** @param count with other servers' connections, where these share the limit */
  constructor(server: Server, max: number, count: ConnectionCount) {
    this.#max = max;
    this.#count = count;
    server.maxConnections = max + EXCESS_LIMIT;
    server.on("connection", (socket: Socket) => this.#add(socket));
  }

  /** Whether this is one of too many, still. */
  isExceededBy(socket: Socket): boolean {
    if (this.#excess.size === 0 || !this.#excess.has(socket)) return false;
    if (this.#count.open > this.#max) return true;
    this.#excess.delete(socket);
    return false;
  }

  #add(socket: Socket): void {
    const open = this.#count.add();
    if (open > this.#max) this.#excess.add(socket);
    socket.once("close", () => {
      this.#count.remove();
      this.#excess.delete(socket);
    });
    // The server itself knows only its own connections.
    if (open > this.#max + EXCESS_LIMIT) socket.destroy();
  }
}
