import { Worker } from "node:worker_threads";
import type { Trip } from "../canary/breaker.js";
import type { ThreadWindows } from "../traffic/window-counts.js";
import type { FromWorker, ToWorker, WorkerTask } from "./worker-messages.js";

/** How long a thread may outlast its drain before it is terminated. */
const DRAIN_GRACE_MS = 2000;

/** How a thread ended. */
export interface ThreadEnd {
  status: number;
  /** The error that ended it, if any. */
  err: Error | undefined;
}

export interface ThreadEvents {
  onCounted: (counts: ThreadWindows) => void;
  /** `era` is the breaker's, right after the trip. */
  onTripped: (trip: Trip, era: number) => void;
}

/** The main thread's view of a worker. */
export class WorkerThread {
  readonly startedAt = performance.now();
  /** Resolves to the port. @throws if the worker ends first */
  readonly listening: Promise<number>;
  readonly ended: Promise<ThreadEnd>;
  readonly #worker: Worker;
  readonly #events: ThreadEvents;
  readonly #countWaiters: (() => void)[] = [];
  /** Monotonic ms of the first unanswered request for counts, or of the start until it listens. */
  #askedAt: number | undefined = performance.now();
  #onListening: (port: number) => void = () => undefined;
  #hasStarted = false;
  #isDraining = false;
  #hasEnded = false;

  constructor(entry: URL, task: WorkerTask, events: ThreadEvents) {
    this.#events = events;
    this.#worker = new Worker(entry, { workerData: task });
    this.#worker.on("message", (message: FromWorker) => this.#take(message));
    this.ended = this.#follow();
    const listening = new Promise<number>((resolve) => {
      this.#onListening = resolve;
    });
    const ended = this.ended.then(({ status, err }) => {
      throw err ?? new Error(`the worker ended with status ${status}`);
    });
    this.listening = Promise.race([listening, ended]);
    // The rejection needs no listener: `ended` reports the end as well.
    this.listening.catch(() => undefined);
  }

  get isListening(): boolean {
    return this.#hasStarted && !this.#isDraining && !this.#hasEnded;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** How long it has owed a count, or its start. */
  get silentMs(): number {
    return this.#askedAt === undefined ? 0 : performance.now() - this.#askedAt;
  }

  /** Resolves when it has reported its counts or has ended; at once before it listens. */
  count(): Promise<void> {
    if (!this.#hasStarted || this.#hasEnded) return Promise.resolve();
    this.#askedAt ??= performance.now();
    const counted = new Promise<void>((resolve) =>
      this.#countWaiters.push(resolve),
    );
    this.#send({ kind: "count" });
    return counted;
  }

  /** Resolves when it has ended, which is forced shortly after `drainMs`. */
  async drain(drainMs: number): Promise<ThreadEnd> {
    this.#isDraining = true;
    this.#send({ kind: "drain", drainMs });
    const force = setTimeout(() => this.terminate(), drainMs + DRAIN_GRACE_MS);
    const end = await this.ended;
    clearTimeout(force);
    return end;
  }

  /** Ends it at once. */
  terminate(): void {
    void this.#worker.terminate();
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #take(message: FromWorker): void {
    switch (message.kind) {
      case "listening":
        this.#hasStarted = true;
        this.#askedAt = undefined;
        this.#onListening(message.port);
        return;
      case "weight-ended":
        this.#events.onCounted(message.counts);
        return;
      case "counted":
        this.#askedAt = undefined;
        this.#events.onCounted(message.counts);
        for (const resolve of this.#countWaiters.splice(0)) resolve();
        return;
      case "tripped":
        this.#events.onTripped(message.trip, message.era);
    }
  }

  #follow(): Promise<ThreadEnd> {
    return new Promise((resolve) => {
      let thrown: Error | undefined;
      this.#worker.on("error", (err: unknown) => {
        thrown = err instanceof Error ? err : new Error(String(err));
      });
      this.#worker.on("exit", (status) => {
        this.#hasEnded = true;
        for (const waiter of this.#countWaiters.splice(0)) waiter();
        resolve({ status, err: thrown });
      });
    });
  }
}
