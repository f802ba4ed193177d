import { parentPort, workerData } from "node:worker_threads";
import { readConfig } from "../../../apps/proxy/config.js";
import type { WorkerTask } from "../../../apps/proxy/worker-messages.js";
import { startWorker } from "../../../apps/proxy/worker.js";

/** The proxy's worker; a request for `/crash` ends it, one for `/hang` keeps it from doing anything else, and with `CRASH_AT_START` it does not even start. */
if (process.env.CRASH_AT_START !== undefined)
  throw new Error("this worker does not start");
const server = await startWorker(
  readConfig(process.env),
  workerData as WorkerTask,
  parentPort!,
);
server.prependListener("request", ({ url }) => {
  if (url === "/crash") throw new Error("this worker was told to crash");
  while (url === "/hang");
});
