import type { Socket } from "node:net";

/** Looks in the time that a connection may be silent for: it is told of late by up to two tenths. */
const LOOKS = 10;
const MAX_INTERVAL_MS = 5000;

interface Watched<C> {
  readonly connection: C;
  /** Read and written up to the last look. */
  bytes: number;
  /** Monotonic ms of the look that saw them move. */
  since: number;
}

/**
 * Tells of connections on which no byte has moved for so long, again and again. One timer looks at all of them: timers of
 * their own would be put off by each read and write.
 */
export class SilenceWatch<C> {
  readonly #silenceMs: number;
  readonly #onSilent: (connections: readonly C[]) => void;
  readonly #watched = new Map<Socket, Watched<C>>();
  readonly #timer: NodeJS.Timeout;

  /** @param silenceMs above 0 @param onSilent given all of one look, at least one */
  constructor(
    silenceMs: number,
    onSilent: (connections: readonly C[]) => void,
  ) {
    this.#silenceMs = silenceMs;
    this.#onSilent = onSilent;
    this.#timer = setInterval(
      () => this.#look(performance.now()),
      Math.min(Math.ceil(silenceMs / LOOKS), MAX_INTERVAL_MS),
    );
    this.#timer.unref();
  }

  /** Watches it from now on, until its socket closes. */
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

  #look(now: number): void {
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
