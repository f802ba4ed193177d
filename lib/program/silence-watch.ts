import type { Socket } from "node:net";

/** Checks per silence limit: a silent connection is reported up to two tenths of the limit late. */
const CHECKS = 10;
const MAX_INTERVAL_MS = 5000;

interface Watched<C> {
  readonly connection: C;
  /** Read and written up to the last check. */
  bytes: number;
  /** Monotonic ms of the last check that found new bytes. */
  since: number;
}

/**
 * Reports connections without any traffic for a given time, repeatedly while they stay silent. One timer checks all of them,
 * because each read and write would reschedule a timer per connection.
 */
export class SilenceWatch<C> {
  readonly #silenceMs: number;
  readonly #onSilent: (connections: readonly C[]) => void;
  readonly #watched = new Map<Socket, Watched<C>>();
  readonly #timer: NodeJS.Timeout;

  /** @param silenceMs above 0 @param onSilent receives all silent connections of a check, at least one */
  constructor(
    silenceMs: number,
    onSilent: (connections: readonly C[]) => void,
  ) {
    this.#silenceMs = silenceMs;
    this.#onSilent = onSilent;
    this.#timer = setInterval(
      () => this.#check(performance.now()),
      Math.min(Math.ceil(silenceMs / CHECKS), MAX_INTERVAL_MS),
    );
    this.#timer.unref();
  }

  /** Watches the connection until its socket closes. */
  add(socket: Socket, connection: C): void {
    const since = performance.now();
    this.#watched.set(socket, { connection, bytes: bytesOf(socket), since });
    socket.once("close", () => this.remove(socket));
  }

  remove(socket: Socket): void {
    this.#watched.delete(socket);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #check(now: number): void {
    const silent: C[] = [];
    for (const [socket, watched] of this.#watched) {
      const bytes = bytesOf(socket);
      const hasMoved = bytes !== watched.bytes;
      const isSilent = !hasMoved && now - watched.since >= this.#silenceMs;
      if (!hasMoved && !isSilent) continue;
      watched.bytes = bytes;
      watched.since = now;
      if (isSilent) silent.push(watched.connection);
    }
    if (silent.length > 0) this.#onSilent(silent);
  }
}

function bytesOf({ bytesRead, bytesWritten }: Socket): number {
  return bytesRead + bytesWritten;
}
