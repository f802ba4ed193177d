import type { Trip } from "../canary/breaker.js";
import type { SharedState } from "../shared-state.js";
import type { TrafficWindows } from "../traffic/window-counts.js";

/** What a worker is started with (its `workerData`); its settings it reads from the environment, as the program did. */
export interface WorkerTask {
  port: number;
  shared: SharedState;
  /** One cell: how many of the connections are this worker's. */
  ownConnections: Int32Array;
}

export type ToWorker =
  /** It answers with what it has counted since the last time. */
  | { kind: "count" }
  /** It stops taking connections, finishes what it has, tells what it has counted, and ends. */
  | { kind: "drain"; drainMs: number };

export type FromWorker =
  | { kind: "listening"; port: number }
  | { kind: "counted"; counts: TrafficWindows }
  /** The breaker, tripped by an outcome of this worker's. */
  | { kind: "tripped"; trip: Trip; era: number };
