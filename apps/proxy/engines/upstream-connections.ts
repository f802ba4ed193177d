import type { Socket } from "node:net";
import { SilenceWatch } from "../../../lib/program/silence-watch.js";
import { IdleStack } from "./idle-stack.js";

interface UpstreamConnection {
  readonly socket: Socket;
  /** To be told when no byte has moved for the time that a response may take. */
  onSilent: () => void;
}

/** The open connections to an upstream: the idle ones to be used again, the others watched for silence. */
export class UpstreamConnections<C extends UpstreamConnection> {
  readonly #open = new Set<C>();
  readonly #idle = new IdleStack<C>();
  readonly #silence: SilenceWatch<C>;

  /** @param silenceMs from the last byte that moved to a connection's being told */
  constructor(silenceMs: number) {
    this.#silence = new SilenceWatch(silenceMs, (silent) => {
      for (const connection of silent) connection.onSilent();
    });
  }

  /** To be told of a connection as soon as it is being opened. It leaves when its socket closes. */
  add(connection: C): void {
    const { socket } = connection;
    this.#open.add(connection);
    socket.once("connect", () => this.#silence.add(socket, connection));
    socket.once("close", () => {
      this.#open.delete(connection);
      this.#idle.remove(connection);
    });
  }

  /** The idle one that was used last. */
  takeIdle(): C | undefined {
    return this.#idle.pop();
  }

  /** Keeps a connection for another exchange. @param grant the value of the response's `Keep-Alive`, if any */
  giveBack(connection: C, grant: string | undefined): void {
    this.#idle.setGrant(grant);
    this.#idle.push(connection);
  }

  close(): void {
    this.#idle.close();
    this.#silence.close();
    for (const { socket } of this.#open) socket.destroy();
  }
}
