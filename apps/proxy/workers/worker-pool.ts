import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { backOffMs } from "../../../lib/program/back-off.js";
import type { Logger } from "../../../lib/program/log.js";
import type { RecentSum } from "../canary/recent-requests.js";
import { ConnectionCount } from "../clients/connection-limit.js";
import { createThreadState, type SharedState } from "../shared-state.js";
import type { TrafficSum } from "../traffic/traffic-sum.js";
import {
  WorkerThread,
  type ThreadEnd,
  type ThreadEvents,
} from "./worker-thread.js";

/** The counts of a worker that does not answer in time go into the next window. */
const COUNT_TIMEOUT_MS = 200;
/** A worker that answers nothing for this long counts as hung: a healthy one never pauses as long. */
const HUNG_MS = 10_000;
const RESTART_DELAY = { firstMs: 100, maxMs: 10_000 };
/** A worker that has run for this long did not fail at its start. */
const SETTLED_MS = 60_000;

export interface PoolOptions {
  config: { workers: number; host: string; port: number; drainMs: number };
  /** The module that each worker runs. */
  entry: URL;
  shared: SharedState;
  /** Receives the workers' records of the last minute. */
  recent: RecentSum;
  /** Receives the workers' counts. */
  traffic: TrafficSum;
  onTrip: ThreadEvents["onTripped"];
  /** 10 s by default. */
  hungMs?: number;
  logger: Logger;
}

/** A worker's place in the pool. A worker that ends is replaced. */
interface Place {
  thread: WorkerThread | undefined;
  earlyEnds: number;
  restart: NodeJS.Timeout | undefined;
}

/**
 * Threads that serve clients on one port; the system spreads connections over them. A worker that crashes, or hangs and is
 * terminated, loses only its own connections. It is restarted after a delay that doubles while workers keep ending early.
 * A worker that cannot start fails the program only at the program's start.
 */
export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #places: Place[] = [];
  /** Includes workers that drain. */
  readonly #threads = new Set<WorkerThread>();
  #port = 0;
  #counting: Promise<void> | undefined;
  #isReloadAsked = false;
  #reloading: Promise<void> | undefined;
  #isClosing = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** @returns the port. @throws when the address is not available, or a worker cannot start */
  async listen(): Promise<number> {
    const { workers, host, port } = this.#options.config;
    if (port !== 0) await refuseSharedPort({ host, port });
    this.#port = port;
    try {
      // For port 0 the system picks a port for the first worker, which the others then use.
      this.#port = await this.#fill(this.#addPlace()).listening;
      const others = Array.from({ length: workers - 1 }, () =>
        this.#fill(this.#addPlace()),
      );
      await Promise.all(others.map(({ listening }) => listening));
    } catch (err) {
      await this.close();
      throw err;
    }
    return this.#port;
  }

  get port(): number {
    return this.#port;
  }

  get isDraining(): boolean {
    return this.#isClosing;
  }

  /** Whether any worker accepts connections. */
  get isListening(): boolean {
    return this.#places.some(({ thread }) => thread?.isListening === true);
  }

  /** Collects the workers' counts. */
  count(): Promise<void> {
    this.#counting ??= this.#countAll().finally(() => {
      this.#counting = undefined;
    });
    return this.#counting;
  }

  /** Replaces the workers one by one: the new one listens before the old one stops. A call meanwhile repeats it once. */
  reload(): Promise<void> {
    this.#isReloadAsked = true;
    this.#reloading ??= this.#replaceAll().finally(() => {
      this.#reloading = undefined;
    });
    return this.#reloading;
  }

  /** Resolves when the last worker has ended. May be called twice. */
  async close(): Promise<void> {
    this.#isClosing = true;
    for (const { restart } of this.#places) clearTimeout(restart);
    await this.#drain([...this.#threads]);
  }

  async #drain(threads: readonly WorkerThread[]): Promise<void> {
    const { drainMs } = this.#options.config;
    await Promise.all(threads.map((thread) => thread.drain(drainMs)));
  }

  #addPlace(): Place {
    const place = { thread: undefined, earlyEnds: 0, restart: undefined };
    this.#places.push(place);
    return place;
  }

  #fill(place: Place): WorkerThread {
    place.thread = this.#start();
    return place.thread;
  }

  #start(): WorkerThread {
    const { entry, shared, traffic, recent, onTrip } = this.#options;
    const own = createThreadState();
    const task = { port: this.#port, shared, own };
    recent.add(own.recent);
    const thread: WorkerThread = new WorkerThread(entry, task, {
      onCounted: (counts) => traffic.add(thread, counts),
      onTripped: onTrip,
    });
    this.#threads.add(thread);
    void thread.ended.then((end) => {
      this.#threads.delete(thread);
      traffic.forget(thread);
      new ConnectionCount(shared.connections, own.connections).removeAll();
      recent.remove(own.recent);
      const place = this.#places.find((it) => it.thread === thread);
      if (place !== undefined && !this.#isClosing)
        this.#restart(place, thread, end);
    });
    return thread;
  }

  #restart(place: Place, thread: WorkerThread, end: ThreadEnd): void {
    const ranForMs = performance.now() - thread.startedAt;
    place.earlyEnds = countEarlyEnds(place.earlyEnds, ranForMs);
    place.thread = undefined;
    const delayMs = restartDelayMs(place.earlyEnds);
    const { earlyEnds } = place;
    this.#options.logger.error(
      { ...end, earlyEnds, delayMs },
      "a worker ended: it is restarted",
    );
    place.restart = setTimeout(() => this.#fill(place), delayMs);
  }

  async #replaceAll(): Promise<void> {
    const { logger } = this.#options;
    while (this.#isReloadAsked && !this.#isClosing) {
      this.#isReloadAsked = false;
      try {
        const drained = [];
        for (const place of this.#places)
          drained.push(this.#drain(await this.#replace(place)));
        await Promise.all(drained);
        logger.info({ workers: this.#places.length }, "workers replaced");
      } catch (err) {
        logger.error({ err }, "a worker could not be replaced: it stays");
      }
    }
  }

  /** @returns the thread that was replaced, if any, which then has to drain. @throws when the new one cannot start */
  async #replace(place: Place): Promise<WorkerThread[]> {
    if (this.#isClosing) return [];
    const fresh = this.#start();
    await fresh.listening;
    // Both messages may arrive at once.
    if (fresh.hasEnded)
      throw new Error("the worker ended as soon as it listened");
    clearTimeout(place.restart);
    const old = place.thread;
    place.thread = fresh;
    place.earlyEnds = 0;
    this.#options.logger.info({}, "a new worker listens: the old one drains");
    return old === undefined ? [] : [old];
  }

  async #countAll(): Promise<void> {
    const counted = [...this.#threads].map((thread) => thread.count());
    const timeout = delay(COUNT_TIMEOUT_MS, undefined, { ref: false });
    await Promise.race([Promise.all(counted), timeout]);
    for (const thread of this.#threads)
      if (thread.silentMs > (this.#options.hungMs ?? HUNG_MS))
        this.#endHung(thread);
  }

  #endHung(thread: WorkerThread): void {
    const silentMs = Math.round(thread.silentMs);
    this.#options.logger.error(
      { silentMs },
      "a worker hangs: it is terminated",
    );
    thread.terminate();
  }
}

/** With SO_REUSEPORT, another proxy on this port would take half of the requests unnoticed. @throws if there is one */
async function refuseSharedPort(address: {
  host: string;
  port: number;
}): Promise<void> {
  const probe = createServer().listen(address);
  await once(probe, "listening");
  probe.close();
  await once(probe, "close");
}

export function restartDelayMs(earlyEnds: number): number {
  return backOffMs(earlyEnds, RESTART_DELAY);
}

/** @param earlyEnds in a row before this one @returns the number including this one */
export function countEarlyEnds(earlyEnds: number, ranForMs: number): number {
  return ranForMs < SETTLED_MS ? earlyEnds + 1 : 1;
}
