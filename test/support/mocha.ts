/**
 * What mocha does around the tests: one private Redis for all of them, clean-ups after each, no leaks, and an orderly end
 * when the run is interrupted.
 */
import type { ChildProcess } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import { setImmediate } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import { Reaper } from "../../apps/launcher/processes/reaper.js";
import { runCleanups } from "./cleanup.js";
import { startPrivateRedis, type PrivateRedis } from "./redis/private-redis.js";
import { waitFor } from "./wait-for.js";

const LEAK_DEADLINE_MS = 10_000;

// Not by mocha's node-option: that makes mocha a child of a process which passes on no SIGTERM.
process.setSourceMapsEnabled(true);

let privateRedis: PrivateRedis | undefined;
/** Ends the Redis when mocha is gone without its teardown. */
let reaper: Reaper | undefined;

/** One private Redis for all workers, which inherit TEST_REDIS_URL, unless that names another. */
export async function mochaGlobalSetup(): Promise<void> {
  if (process.env.TEST_REDIS_URL !== undefined) return;
  reaper = new Reaper();
  privateRedis = await startPrivateRedis();
  reaper.watch(privateRedis.pid);
  process.env.TEST_REDIS_URL = privateRedis.url;
}

export async function mochaGlobalTeardown(): Promise<void> {
  await reaper?.close();
  await privateRedis?.stop();
}

/** Run in each process that runs tests: by a worker around each of its files, without workers around all. */
export const mochaHooks = {
  async beforeAll(): Promise<void> {
    followChildrenAndThreads();
    await setImmediate();
    openAtStart = countOpen();
  },
  afterEach: runCleanups,
  afterAll: expectNothingLeftOpen,
};

let openAtStart = new Map<string, number>();

/** A worker is ended whatever is still open in it, so that a leak does not show by itself. */
async function expectNothingLeftOpen(this: Mocha.Context): Promise<void> {
  let left: string[] = [];
  // Mocha's own timer for a hook runs from its first await.
  await setImmediate();
  await waitFor(
    "what the tests opened to be closed",
    () => {
      left = [...countOpen()]
        .filter(([kind, count]) => count > (openAtStart.get(kind) ?? 0))
        .map(([kind, count]) => `${count} ${kind}`);
      return left.length === 0;
    },
    LEAK_DEADLINE_MS,
  ).catch((err: unknown) => {
    const files = this.test?.parent?.suites.map(({ file }) => file) ?? [];
    const who = new Set(files).size === 1 ? files[0] : "the tests";
    throw new Error(`${who} left open: ${left.join(", ")}`, { cause: err });
  });
}

/** What keeps the event loop alive, by kind. */
function countOpen(): Map<string, number> {
  const counts = new Map([["Worker", threads.size]]);
  for (const kind of process.getActiveResourcesInfo())
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

const children = new Set<ChildProcess>();
const threads = new Set<Worker>();
let isFollowing = false;

/** However this process ends, its children end with it. Mocha's main process has only workers, which notice by themselves. */
function followChildrenAndThreads(): void {
  if (isFollowing) return;
  isFollowing = true;
  subscribe("child_process", (message) => {
    const { process: child } = message as { process: ChildProcess };
    children.add(child);
    child.once("exit", () => children.delete(child));
  });
  subscribe("worker_threads", (message) => {
    const { worker } = message as { worker: Worker };
    threads.add(worker);
    worker.once("exit", () => threads.delete(worker));
  });
  process.on("exit", killChildren);
}

function killChildren(): void {
  for (const child of children) child.kill("SIGKILL");
}

// Mocha ends with status 0 when it is interrupted before any test failed.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.once(signal, () => {
    killChildren();
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
