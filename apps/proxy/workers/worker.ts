import type { Server } from "node:http";
import type { MessagePort } from "node:worker_threads";
import { createLogger } from "../../../lib/program/log.js";
import type { ProxyConfig } from "../config.js";
import { Front } from "../front.js";
import type { FromWorker, ToWorker, WorkerTask } from "./worker-messages.js";

/** However many connections keep coming, it closes after so many turns of the event loop. */
const MAX_TURNS = 1000;

/**
 * One of several threads that serve clients on the same port. What it decides, it decides from the memory that it shares
 * with the others; the main thread it only tells, and is told when to stop.
 *
 * @returns its server, listening
 */
export async function startWorker(
  config: ProxyConfig,
  task: WorkerTask,
  mainThread: MessagePort,
): Promise<Server> {
  const tell = (message: FromWorker) => mainThread.postMessage(message);
  const front = new Front(config, {
    shared: task.shared,
    ownConnections: task.ownConnections,
    logger: createLogger("proxy", config.logLevel),
    onTrip: (trip, era) => tell({ kind: "tripped", trip, era }),
  });
  const tellCounts = () => {
    const counts = front.recorder.takeWindow(performance.now());
    tell({ kind: "counted", counts });
  };
  const { host } = config;
  const port = await front.listen({ host, port: task.port, reusePort: true });
  mainThread.on("message", (message: ToWorker) => {
    if (message.kind === "count") tellCounts();
    else
      void drain(front, message.drainMs).then(() => {
        tellCounts();
        mainThread.close();
      });
  });
  tell({ kind: "listening", port });
  return front.server;
}

async function drain(front: Front, drainMs: number): Promise<void> {
  await untilNobodyWaits(front.server);
  await front.close(drainMs);
}

/**
 * Closing a listener resets the connections that the system has made but the program not taken yet. Node takes one in each
 * turn of its event loop: a turn in which none came means that, a moment ago, none waited.
 */
async function untilNobodyWaits(server: Server): Promise<void> {
  let taken = true;
  const take = () => (taken = true);
  server.on("connection", take);
  for (let turn = 0; taken && turn < MAX_TURNS; turn++) {
    taken = false;
    // Once to be behind this turn's sockets, once more to be behind the next one's.
    await nextTurn();
    await nextTurn();
  }
  server.off("connection", take);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
