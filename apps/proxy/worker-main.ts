import { parentPort, workerData } from "node:worker_threads";
import { readConfig } from "./config.js";
import type { WorkerTask } from "./workers/worker-messages.js";
import { startWorker } from "./workers/worker.js";

if (parentPort === null) throw new Error("a worker is started by the proxy");
await startWorker(
  readConfig(process.env),
  workerData as WorkerTask,
  parentPort,
);
