import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { call } from "./http-call.js";

/** A request without a complete response. */
export interface LostRequest {
  error: string;
  /** Such as ECONNRESET. */
  code: string | undefined;
  /** Monotonic ms. */
  sentAt: number;
}

/**
 * Clients that each use one connection and send a request after the previous response. A client leaves after a response with
 * `Connection: close`, after a failed request, or when stopped.
 */
export class ClosedLoop {
  /** Complete responses, by status. */
  readonly statuses = new Map<number, number>();
  readonly lost: LostRequest[] = [];
  /** Clients that received `Connection: close`. */
  told = 0;
  readonly #pauseMs: number;
  #isStopped = false;
  readonly #done: Promise<unknown>;

  /** @param pauseMs average time between a response and the next request */
  constructor(options: {
    port: number;
    path: string;
    connections: number;
    pauseMs?: number;
  }) {
    const { port, path, connections, pauseMs = 0 } = options;
    this.#pauseMs = pauseMs;
    this.#done = Promise.all(
      Array.from({ length: connections }, () => this.#runClient(port, path)),
    );
  }

  /** Complete responses. */
  get answers(): number {
    return [...this.statuses.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Requests without a complete response. */
  get errors(): string[] {
    return this.lost.map(({ error }) => error);
  }

  /** Requests without a 200. */
  get failures(): number {
    return this.answers - (this.statuses.get(200) ?? 0) + this.lost.length;
  }

  /** Resolves when every client has left. */
  async done(): Promise<void> {
    await this.#done;
  }

  /** Lets every client leave after its response. May be called twice. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#done;
  }

  async #runClient(port: number, path: string): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    let sentAt = 0;
    try {
      while (!this.#isStopped) {
        sentAt = performance.now();
        const { status, headers } = await call({ port, path, agent });
        this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
        if (headers.connection === "close") {
          this.told += 1;
          return;
        }
        // Random, to prevent the clients from synchronizing.
        if (this.#pauseMs > 0) await sleep(2 * this.#pauseMs * Math.random());
      }
    } catch (err) {
      const { code } = err as NodeJS.ErrnoException;
      this.lost.push({ error: String(err), code, sentAt });
    } finally {
      agent.destroy();
    }
  }
}
