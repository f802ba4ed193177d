import type { Trip } from "../canary/breaker.js";
import type { SharedState, ThreadState } from "../shared-state.js";
import type { ThreadWindows } from "../traffic/window-counts.js";

/** A worker's `workerData`. It reads its settings from the environment, as the main thread does. */
export interface WorkerTask {
  port: number;
  shared: SharedState;
  own: ThreadState;
}

export type ToWorker =
  /** The worker answers with its counts since the last time. */
  | { kind: "count" }
  /** The worker stops accepting connections, finishes its requests, reports its counts, and ends. */
  | { kind: "drain"; drainMs: number };

export type FromWorker =
  | { kind: "listening"; port: number }
  | { kind: "counted"; counts: ThreadWindows }
  /** Its counts since the last time, at a change of the weight. */
  | { kind: "weight-ended"; counts: ThreadWindows }
  /** An outcome of this worker tripped the breaker. */
  | { kind: "tripped"; trip: Trip; era: number };
