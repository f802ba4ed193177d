import { parentPort, workerData } from "node:worker_threads";
import type {
  FromWorker,
  ToWorker,
  WorkerTask,
} from "../../../apps/proxy/workers/worker-messages.js";

/** Says that it listens, and no more. With a connection counted at its start it ends right after, which it counts as another. */
const { connections } = (workerData as WorkerTask).shared;
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
