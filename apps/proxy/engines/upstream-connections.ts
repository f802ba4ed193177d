import type { Socket } from "node:net";
import { SilenceWatch } from "../../../lib/program/silence-watch.js";

/** The longest that a connection may be idle; Node's own servers close idle connections after 5 s. */
const IDLE_LIMIT_MS = 4000;
/** The share of an upstream's `Keep-Alive: timeout=` that is used, so that the proxy closes first. */
const GRANT_SHARE = 0.8;
const SWEEP_INTERVAL_MS = 1000;

interface UpstreamConnection {
  readonly socket: Socket;
  /** Monotonic ms; valid while the connection is idle. */
  idleSince: number;
  /** Whether it has carried an exchange before. */
  isReused: boolean;
  /** Called when no byte has moved for the response timeout. */
  onSilent: () => void;
}

/**
 * The open connections to an upstream, watched for silence. The connection that was used last is reused first. The others
 * age, and are closed before the upstream closes them.
 */
export class UpstreamConnections<C extends UpstreamConnection> {
  readonly #all = new Set<C>();
  /** The longest idle first. */
  readonly #idle: C[] = [];
  readonly #silence: SilenceWatch<C>;
  readonly #sweep: NodeJS.Timeout;
  readonly #create: () => C;
  #idleLimitMs = IDLE_LIMIT_MS;
  #grant: string | undefined;

  /** @param silenceMs from a connection's last byte to its `onSilent` @param create opens a connection */
  constructor(silenceMs: number, create: () => C) {
    this.#create = create;
    this.#silence = new SilenceWatch(silenceMs, (silent) => {
      for (const connection of silent) connection.onSilent();
    });
    this.#sweep = setInterval(() => this.#endStale(), SWEEP_INTERVAL_MS);
    this.#sweep.unref();
  }

  /** @param fresh demands a new connection */
  take(fresh: boolean): C {
    return (fresh ? undefined : this.#takeIdle()) ?? this.#open();
  }

  /** Keeps a connection for the next exchange. @param grant the value of the response's `Keep-Alive`, if any */
  giveBack(connection: C, grant: string | undefined): void {
    if (grant !== this.#grant) {
      this.#grant = grant;
      this.#idleLimitMs = idleLimitMs(grant);
    }
    connection.isReused = true;
    connection.idleSince = performance.now();
    this.#idle.push(connection);
  }

  close(): void {
    clearInterval(this.#sweep);
    this.#silence.close();
    for (const { socket } of this.#all) socket.destroy();
  }

  #open(): C {
    const connection = this.#create();
    const { socket } = connection;
    this.#all.add(connection);
    socket.once("connect", () => this.#silence.add(socket, connection));
    socket.once("close", () => {
      this.#all.delete(connection);
      const index = this.#idle.indexOf(connection);
      if (index >= 0) this.#idle.splice(index, 1);
    });
    return connection;
  }

  /** The idle connection that was used last, unless it has been idle for too long. */
  #takeIdle(): C | undefined {
    const last = this.#idle.pop();
    if (last === undefined) return undefined;
    if (last.socket.writable && !this.#isStale(last, performance.now()))
      return last;
    last.socket.destroy();
    return this.#takeIdle();
  }

  #isStale({ idleSince }: C, now: number): boolean {
    return now - idleSince >= this.#idleLimitMs;
  }

  #endStale(): void {
    const now = performance.now();
    const fresh = this.#idle.findIndex((it) => !this.#isStale(it, now));
    const count = fresh < 0 ? this.#idle.length : fresh;
    for (const { socket } of this.#idle.splice(0, count)) socket.destroy();
  }
}

function idleLimitMs(grant: string | undefined): number {
  const [, grantedS] = /\btimeout=(\d+)/.exec(grant ?? "") ?? [];
  return grantedS === undefined
    ? IDLE_LIMIT_MS
    : Math.min(IDLE_LIMIT_MS, Number(grantedS) * 1000 * GRANT_SHARE);
}
