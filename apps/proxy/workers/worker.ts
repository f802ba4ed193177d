import type { Server } from "node:http";
import type { MessagePort } from "node:worker_threads";
import { createLogger } from "../../../lib/program/log.js";
import type { ProxyConfig } from "../config.js";
import { Front } from "../front.js";
import type { FromWorker, ToWorker, WorkerTask } from "./worker-messages.js";

/**
 * Serves clients in one of several threads on the same port. Decisions are based on shared memory. The worker only reports
 * to the main thread, which tells it when to stop.
 *
 * @returns its server, listening
 */
export async function startWorker(
  config: ProxyConfig,
  task: WorkerTask,
  mainThread: MessagePort,
): Promise<Server> {
  const report = (message: FromWorker) => mainThread.postMessage(message);
  const front = new Front(config, {
    shared: task.shared,
    own: task.own,
    logger: createLogger("proxy", config.logLevel),
    onWeightEnd: (counts) => report({ kind: "weight-ended", counts }),
    onTrip: (trip, era) => report({ kind: "tripped", trip, era }),
  });
  const reportCounts = () => {
    const counts = front.recorder.takeWindow(performance.now());
    report({ kind: "counted", counts });
  };
  const { host } = config;
  const port = await front.listen({ host, port: task.port, reusePort: true });
  mainThread.on("message", (message: ToWorker) => {
    if (message.kind === "count") reportCounts();
    else
      void front.close(message.drainMs).then(() => {
        reportCounts();
        mainThread.close();
      });
  });
  report({ kind: "listening", port });
  return front.server;
}
