import type { Socket } from "node:net";

/** The longest that an idle connection is kept; Node's own servers close theirs after 5 s. */
const IDLE_LIMIT_MS = 4000;
/** The share of the time granted by an upstream (`Keep-Alive: timeout=`) that is used, so that our end comes first. */
const GRANT_SHARE = 0.8;
const SWEEP_INTERVAL_MS = 1000;

interface Connection {
  readonly socket: Socket;
}

interface Idle<C extends Connection> {
  readonly connection: C;
  /** Monotonic ms. */
  readonly since: number;
}

/** An upstream's connections that wait for a request, the last used first: the others may then grow old and end. */
export class IdleStack<C extends Connection> {
  /** The longest idle at the bottom. */
  readonly #stack: Idle<C>[] = [];
  readonly #sweep: NodeJS.Timeout;
  #limitMs = IDLE_LIMIT_MS;
  #grant: string | undefined;

  constructor() {
    this.#sweep = setInterval(
      () => this.#endStale(performance.now()),
      SWEEP_INTERVAL_MS,
    );
    this.#sweep.unref();
  }

  /** @param value the upstream's last `Keep-Alive`, if it sent one */
  setGrant(value: string | undefined): void {
    if (value === this.#grant) return;
    this.#grant = value;
    this.#limitMs = idleLimitMs(value);
  }

  push(connection: C): void {
    this.#stack.push({ connection, since: performance.now() });
  }

  /** Takes the one that was used last, if it has not been idle for too long. */
  pop(): C | undefined {
    for (
      let top = this.#stack.pop();
      top !== undefined;
      top = this.#stack.pop()
    ) {
      const { connection, since } = top;
      if (
        connection.socket.writable &&
        performance.now() - since < this.#limitMs
      )
        return connection;
      connection.socket.destroy();
    }
    return undefined;
  }

  /** To be told when a connection has ended, idle or not. */
  remove(connection: C): void {
    const index = this.#stack.findIndex((it) => it.connection === connection);
    if (index >= 0) this.#stack.splice(index, 1);
  }

  close(): void {
    clearInterval(this.#sweep);
  }

  #endStale(now: number): void {
    for (
      let oldest = this.#stack[0];
      oldest !== undefined && now - oldest.since >= this.#limitMs;
      oldest = this.#stack[0]
    ) {
      this.#stack.shift();
      oldest.connection.socket.destroy();
    }
  }
}

function idleLimitMs(grant: string | undefined): number {
  const [, grantedS] = /\btimeout=(\d+)/.exec(grant ?? "") ?? [];
  return grantedS === undefined
    ? IDLE_LIMIT_MS
    : Math.min(IDLE_LIMIT_MS, Number(grantedS) * 1000 * GRANT_SHARE);
}
