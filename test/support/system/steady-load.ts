import { Agent } from "node:http";
import { call } from "./http-call.js";
import { monotonicMs } from "./monotonic.js";

/** What became of one request. Times in ms of the monotonic clock. */
export interface Outcome {
  /** When it was due by the schedule, whether or not the sender kept up. */
  dueAt: number;
  endedAt: number;
  /** Null without a whole answer. */
  status: number | null;
  servedBy: string | null;
  error: string | null;
}

/** How many had which outcome, such as `canary 200`. */
export function tally(outcomes: readonly Outcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { servedBy, status, error } of outcomes) {
    const key = `${servedBy ?? "nobody"} ${status ?? error ?? ""}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

/**
 * Requests at a steady rate. It is an open loop: they start by the schedule, however long others take, so that an
 * answer that stalls does not keep the ones behind it from being asked for and counted.
 */
export class SteadyLoad {
  readonly outcomes: Outcome[] = [];
  readonly #options: { port: number; path: string; perSecond: number };
  readonly #agent = new Agent({ keepAlive: true });
  readonly #open = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: { port: number; path: string; perSecond: number }) {
    this.#options = options;
  }

  /** Those without an answer of 200. */
  get failures(): Outcome[] {
    return this.outcomes.filter(({ status }) => status !== 200);
  }

  start(): this {
    this.#sendDue(monotonicMs());
    return this;
  }

  /** The requests that the canary has answered. */
  get byCanary(): Outcome[] {
    return this.outcomes.filter(({ servedBy }) => servedBy === "canary");
  }

  /** Outcomes of the requests that were due after `sinceMs`. */
  since(sinceMs: number): Outcome[] {
    return this.outcomes.filter(({ dueAt }) => dueAt > sinceMs);
  }

  /** Sends no more and waits for what is under way. May be called twice. */
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
    const { port, path } = this.#options;
    const settle = (outcome: Omit<Outcome, "dueAt" | "endedAt">) => {
      this.#open.delete(request);
      this.outcomes.push({ dueAt, endedAt: monotonicMs(), ...outcome });
    };
    const request = call({ port, path, agent: this.#agent }).then(
      ({ status, servedBy }) => settle({ status, servedBy, error: null }),
      (err: unknown) =>
        settle({ status: null, servedBy: null, error: String(err) }),
    );
    this.#open.add(request);
  }
}
