import type { Server } from "node:http";
import type { Socket } from "node:net";

/** Connections beyond the limit that may wait to be told so; those beyond these are closed as they come. */
const EXCESS_LIMIT = 1000;

/** Counts a server's connections. Those beyond the limit are accepted, so that their requests can be answered by 503. */
export class ConnectionLimit {
  readonly #max: number;
  #open = 0;
  readonly #excess = new Set<Socket>();

  constructor(server: Server, max: number) {
    this.#max = max;
    server.maxConnections = max + EXCESS_LIMIT;
    server.on("connection", (socket: Socket) => this.#add(socket));
  }

  /** Whether this is one of too many, still. */
  isExceededBy(socket: Socket): boolean {
    if (!this.#excess.has(socket)) return false;
    if (this.#open > this.#max) return true;
    this.#excess.delete(socket);
    return false;
  }

  #add(socket: Socket): void {
    this.#open += 1;
    if (this.#open > this.#max) this.#excess.add(socket);
    socket.once("close", () => {
      this.#open -= 1;
      this.#excess.delete(socket);
    });
  }
}
