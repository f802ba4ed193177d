import type { Server } from "node:http";
import type { Socket } from "node:net";

/** Connections beyond the limit that still get a 503; those beyond these are closed at once. */
const EXCESS_LIMIT = 1000;

/** Limits a server's connections. Those beyond the limit are accepted, so that their requests can be answered with 503. */
export class ConnectionLimit {
  readonly #max: number;
  readonly #count: ConnectionCount;
  readonly #excess = new Set<Socket>();

  /** @param count shared by all servers that share the limit */
  constructor(server: Server, max: number, count: ConnectionCount) {
    this.#max = max;
    this.#count = count;
    server.maxConnections = max + EXCESS_LIMIT;
    server.on("connection", (socket: Socket) => this.#add(socket));
  }

  /** Whether the connection came beyond the limit and still is. */
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
    // server.maxConnections covers only this server's own connections.
    if (open > this.#max + EXCESS_LIMIT) socket.destroy();
  }
}

/** Counts the clients of all threads and, separately, those of one thread, which end with it. */
export class ConnectionCount {
  readonly #total: Int32Array;
  readonly #own: Int32Array;

  /** @param total one cell for all threads @param own one cell for this thread */
  constructor(total: Int32Array, own: Int32Array) {
    this.#total = total;
    this.#own = own;
  }

  /** The connections of all threads. */
  get open(): number {
    return Atomics.load(this.#total, 0);
  }

  /** @returns the new total */
  add(): number {
    Atomics.add(this.#own, 0, 1);
    return Atomics.add(this.#total, 0, 1) + 1;
  }

  remove(): void {
    Atomics.sub(this.#own, 0, 1);
    Atomics.sub(this.#total, 0, 1);
  }

  /** Call when the thread has ended: its connections ended with it, counted down or not. */
  removeAll(): void {
    Atomics.sub(this.#total, 0, Atomics.exchange(this.#own, 0, 0));
  }
}
