import type { OnReadOpts, Socket } from "node:net";
import type { UpstreamLimits } from "../engine.js";
import { UpstreamConnections } from "../upstream-connections.js";
import { connectUpstream } from "../upstream-socket.js";
import type { Upstream } from "../upstreams.js";

/** The exchange that a connection carries. */
export interface ConnectionUser {
  /** @param length the number of bytes in use @returns false to pause until the socket is resumed */
  onBytes: (bytes: Buffer, length: number) => boolean;
  onConnect: () => void;
  onDrain: () => void;
  /** No byte has moved for the response timeout. */
  onTimeout: () => void;
  /** The upstream has ended its side in an orderly way. */
  onEnd: () => void;
  onClose: (cause: Error) => void;
}

/**
 * A connection to an upstream, one exchange at a time. A byte that arrives between exchanges ends it: it would be taken for
 * the next response.
 */
export class DirectConnection {
  readonly socket: Socket;
  idleSince = 0;
  /** Whether it has carried an exchange before. */
  isReused = false;
  isConnected = false;
  #user: ConnectionUser | undefined;
  #cause = new Error("the upstream closed the connection");

  /** @param options.buffer receives what is read; connections may share it */
  constructor(options: {
    connect: (onread: OnReadOpts) => Socket;
    buffer: Buffer;
  }) {
    const { connect, buffer } = options;
    this.socket = connect({
      buffer,
      callback: (length) => this.#receive(buffer, length),
    });
    this.socket
      .once("connect", () => {
        this.isConnected = true;
        this.#user?.onConnect();
      })
      .on("drain", () => this.#user?.onDrain())
      .on("end", () => this.#end())
      .on("error", (err) => (this.#cause = err))
      .on("close", () => this.#leave()?.onClose(this.#cause));
  }

  /** Assigns an exchange, which starts when the connection is established. */
  carry(user: ConnectionUser): void {
    this.#user = user;
    if (this.isConnected) user.onConnect();
  }

  onSilent(): void {
    this.#user?.onTimeout();
  }

  /** The exchange is complete, and another may follow. */
  release(): void {
    this.#user = undefined;
    this.isReused = true;
  }

  /** Ends the connection without notifying its exchange. */
  destroy(): void {
    this.#user = undefined;
    this.socket.destroy();
  }

  #receive(bytes: Buffer, length: number): boolean {
    if (this.#user !== undefined) return this.#user.onBytes(bytes, length);
    this.socket.destroy();
    return true;
  }

  #end(): void {
    this.#user?.onEnd();
    this.destroy();
  }

  #leave(): ConnectionUser | undefined {
    const user = this.#user;
    this.#user = undefined;
    return user;
  }
}

/** An upstream's connections: one for each concurrent exchange. */
export class DirectPool {
  readonly #connect: () => DirectConnection;
  readonly #connections: UpstreamConnections<DirectConnection>;

  /** @param buffer receives what is read */
  constructor(upstream: Upstream, limits: UpstreamLimits, buffer: Buffer) {
    const connect = (onread: OnReadOpts) =>
      connectUpstream(upstream, limits.connectMs, onread);
    this.#connect = () => new DirectConnection({ connect, buffer });
    this.#connections = new UpstreamConnections(limits.responseMs);
  }

  /** @param fresh demands a new connection */
  take(fresh: boolean): DirectConnection {
    const idle = fresh ? undefined : this.#connections.takeIdle();
    if (idle !== undefined) return idle;
    const connection = this.#connect();
    this.#connections.add(connection);
    return connection;
  }

  /** Keeps a connection for the next exchange. @param grant the value of the response's `Keep-Alive`, if any */
  giveBack(connection: DirectConnection, grant: string | undefined): void {
    connection.release();
    this.#connections.giveBack(connection, grant);
  }

  close(): void {
    this.#connections.close();
  }
}
