import { Agent } from "node:http";
import { call, type Call } from "./http-call.js";
import { monotonicMs } from "./monotonic.js";

/** The outcome of a request. Times are in ms of the monotonic clock. */
export interface Outcome {
  /** The scheduled time, even if the sender was late. */
  dueAt: number;
  endedAt: number;
  /** Null without a complete response. */
  status: number | null;
  servedBy: string | null;
  error: string | null;
}

/** Counts by outcome, such as `canary 200`. */
export function tally(outcomes: readonly Outcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { servedBy, status, error } of outcomes) {
    const key = `${servedBy ?? "nobody"} ${status ?? error ?? ""}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

/**
 * An open loop of requests at a steady rate: they start on schedule, however long others take. A stalled response therefore
 * does not hide the requests after it.
 */
export class SteadyLoad {
  readonly outcomes: Outcome[] = [];
  readonly #options: Call & { perSecond: number };
  readonly #agent = new Agent({ keepAlive: true });
  readonly #open = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: Omit<Call, "agent"> & { perSecond: number }) {
    this.#options = options;
  }

  /** Requests without a 200. */
  get failures(): Outcome[] {
    return this.outcomes.filter(({ status }) => status !== 200);
  }

  start(): this {
    this.#sendDue(monotonicMs());
    return this;
  }

  /** Requests served by the canary. */
  get byCanary(): Outcome[] {
    return this.outcomes.filter(({ servedBy }) => servedBy === "canary");
  }

  /** The outcomes of requests that were due after `sinceMs`. */
  since(sinceMs: number): Outcome[] {
    return this.outcomes.filter(({ dueAt }) => dueAt > sinceMs);
  }

  /** Stops sending and waits for requests in flight. May be called twice. */
  async stop(): Promise<readonly Outcome[]> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await Promise.all(this.#open);
    this.#agent.destroy();
    return this.outcomes;
  }

  #sendDue(dueAt: number): void {
    const intervalMs = 1000 / this.#options.perSecond;
    let next = dueAt;
    for (; next <= monotonicMs(); next += intervalMs) this.#send(next);
    if (this.#isStopped) return;
    this.#timer = setTimeout(
      () => this.#sendDue(next),
      Math.max(0, next - monotonicMs()),
    );
  }

  #send(dueAt: number): void {
    const settle = (outcome: Omit<Outcome, "dueAt" | "endedAt">) => {
      this.#open.delete(request);
      this.outcomes.push({ dueAt, endedAt: monotonicMs(), ...outcome });
    };
    const request = call({ ...this.#options, agent: this.#agent }).then(
      ({ status, servedBy }) => settle({ status, servedBy, error: null }),
      (err: unknown) =>
        settle({ status: null, servedBy: null, error: String(err) }),
    );
    this.#open.add(request);
  }
}
