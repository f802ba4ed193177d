import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { call } from "./http-call.js";

/** A request without a whole answer. */
export interface LostRequest {
  error: string;
  /** Such as ECONNRESET. */
  code: string | undefined;
  /** Monotonic ms. */
  sentAt: number;
}

/**
 * Clients that each keep one connection and send their next request after the answer to the one before. They leave when
 * they are told `Connection: close`, or when a request has no whole answer, or when stopped.
 */
export class ClosedLoop {
  /** Whole answers, by status. */
  readonly statuses = new Map<number, number>();
  readonly lost: LostRequest[] = [];
  /** Clients that were told to go. */
  told = 0;
  readonly #pauseMs: number;
  #isStopped = false;
  readonly #done: Promise<unknown>;

  /** `pauseMs`: how long on average a client waits before its next request; not at all unless told. */
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

  /** Whole answers. */
  get answers(): number {
    return [...this.statuses.values()].reduce((sum, count) => sum + count, 0);
  }

  /** What became of requests without a whole answer. */
  get errors(): string[] {
    return this.lost.map(({ error }) => error);
  }

  /** Requests without an answer of 200. */
  get failures(): number {
    return this.answers - (this.statuses.get(200) ?? 0) + this.lost.length;
  }

  /** Resolves when every client has left. */
  async done(): Promise<void> {
    await this.#done;
  }

  /** Every client leaves after its answer. May be called twice. */
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
        // Uniform, so that the clients do not fall into step.
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
