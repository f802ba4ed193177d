import type { OnReadOpts, Socket } from "node:net";

/** The exchange that a connection carries. */
export interface ConnectionUser {
  /** @param length how much of `bytes` there is @returns false to be sent no more until the socket is resumed */
  onBytes: (bytes: Buffer, length: number) => boolean;
  onConnect: () => void;
  onDrain: () => void;
  /** No byte has moved for the time that a response may take. */
  onTimeout: () => void;
  /** The upstream has ended its side in order. */
  onEnd: () => void;
  onClose: (cause: Error) => void;
}

/**
 * A connection to an upstream, one exchange at a time. It ends when a byte comes that no exchange has asked for: it would
 * be taken for the next one's response.
 */
export class DirectConnection {
  readonly socket: Socket;
  /** Whether it has carried an exchange before. */
  isReused = false;
  #user: ConnectionUser | undefined;
  #isConnected = false;
  #cause = new Error("the upstream closed the connection");

  /** @param options.buffer what is read goes there first; connections may share it */
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
        this.#isConnected = true;
        this.#user?.onConnect();
      })
      .on("drain", () => this.#user?.onDrain())
      .on("end", () => this.#end())
      .on("error", (err) => (this.#cause = err))
      .on("close", () => this.#leave()?.onClose(this.#cause));
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Gives it an exchange to carry, as soon as it stands. */
  carry(user: ConnectionUser): void {
    this.#user = user;
    if (this.#isConnected) user.onConnect();
  }

  /** To be told when no byte has moved for the time that a response may take. */
  onSilent(): void {
    this.#user?.onTimeout();
  }

  /** The exchange is complete; another may follow. */
  release(): void {
    this.#user = undefined;
    this.isReused = true;
  }

  /** Ends it; its exchange hears no more of it. */
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
