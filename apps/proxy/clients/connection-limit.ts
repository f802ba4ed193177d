import type { Server } from "node:http";
import type { Socket } from "node:net";

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

/** How many clients are connected to all threads together, and beside them those of one, which end with it. */
export class ConnectionCount {
  readonly #total: Int32Array;
  readonly #own: Int32Array;

  /** @param total one cell for all threads @param own one for the thread that counts */
  constructor(total: Int32Array, own: Int32Array) {
    this.#total = total;
    this.#own = own;
  }

  /** With all threads. */
  get open(): number {
    return Atomics.load(this.#total, 0);
  }

  /** @returns how many there are with it */
  add(): number {
    Atomics.add(this.#own, 0, 1);
    return Atomics.add(this.#total, 0, 1) + 1;
  }

  remove(): void {
    Atomics.sub(this.#own, 0, 1);
    Atomics.sub(this.#total, 0, 1);
  }

  /** The thread has ended, and its connections with it, whether it has said so or not. */
  removeAll(): void {
    Atomics.sub(this.#total, 0, Atomics.exchange(this.#own, 0, 0));
  }
}
