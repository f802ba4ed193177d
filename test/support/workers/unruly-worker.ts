import { setTimeout as delay } from "node:timers/promises";
import { parentPort, threadId, workerData } from "node:worker_threads";
import { Breaker } from "../../../apps/proxy/canary/breaker.js";
import { readConfig } from "../../../apps/proxy/config.js";
import type { WorkerTask } from "../../../apps/proxy/workers/worker-messages.js";
import { startWorker } from "../../../apps/proxy/workers/worker.js";

/**
 * The proxy's worker, which crashes on `/crash` and hangs on `/hang`. With `CRASH_AT_START` it fails to start. With
 * `AWAIT_TRIP` only the first worker starts before the canary has been stopped.
 */
if (process.env.CRASH_AT_START !== undefined)
  throw new Error("this worker does not start");
const task = workerData as WorkerTask;
if (process.env.AWAIT_TRIP !== undefined && threadId > 1)
  while (!new Breaker(task.shared.breaker).isTripped) await delay(10);
const server = await startWorker(readConfig(process.env), task, parentPort!);
server.prependListener("request", ({ url }) => {
  if (url === "/crash") throw new Error("this worker was told to crash");
  if (url === "/hang")
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});
