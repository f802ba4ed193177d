/** A thread of `npm run simulate`: the releases of one law. */
import { parentPort, workerData } from "node:worker_threads";
import { simulateLaw, type Size } from "./run.js";

const { law, size } = workerData as { law: string; size: Size };
parentPort?.postMessage(simulateLaw(law, size));
