import type { Server } from "node:http";
import { setImmediate } from "node:timers/promises";
import type { MessagePort } from "node:worker_threads";
import { createLogger } from "../../../lib/program/log.js";
import type { ProxyConfig } from "../config.js";
import { Front } from "../front.js";
import type { FromWorker, ToWorker, WorkerTask } from "./worker-messages.js";

/** It closes after this many turns of the event loop, even if connections keep coming. */
const MAX_TURNS = 1000;

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
    ownConnections: task.ownConnections,
    logger: createLogger("proxy", config.logLevel),
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
      void drain(front, message.drainMs).then(() => {
        reportCounts();
        mainThread.close();
      });
  });
  report({ kind: "listening", port });
  return front.server;
}

async function drain(front: Front, drainMs: number): Promise<void> {
  await untilBacklogIsEmpty(front.server);
  await front.close(drainMs);
}

/**
 * Closing a listener resets connections that the system has established but Node has not accepted. Node accepts one in each
 * turn of its event loop, so a turn without a connection means that the backlog was empty.
 */
async function untilBacklogIsEmpty(server: Server): Promise<void> {
  let accepted = true;
  const note = () => (accepted = true);
  server.on("connection", note);
  for (let turn = 0; accepted && turn < MAX_TURNS; turn++) {
    accepted = false;
    // The first wait ends after this turn's sockets, the second after the next turn's.
    await setImmediate();
    await setImmediate();
  }
  server.off("connection", note);
}
