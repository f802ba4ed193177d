import { parentPort, workerData } from "node:worker_threads";
import type {
  FromWorker,
  ToWorker,
  WorkerTask,
} from "../../../apps/proxy/workers/worker-messages.js";

/**
 * A worker that reports that it listens and does nothing else. If its start finds a counted connection, it counts another and
 * exits; if it finds two, it hangs.
 */
const { connections } = (workerData as WorkerTask).shared;
while (Atomics.load(connections, 0) === 2);
const isBrief = Atomics.load(connections, 0) === 1;
parentPort!.on("message", ({ kind }: ToWorker) => {
  if (kind === "drain") parentPort!.close();
});
const listening: FromWorker = { kind: "listening", port: 1 };
parentPort!.postMessage(listening);
if (isBrief) {
  Atomics.add(connections, 0, 1);
  Atomics.notify(connections, 0);
  process.exit(1);
}
