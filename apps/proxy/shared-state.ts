import { hrtime } from "node:process";
import { BREAKER_CELLS } from "./canary/breaker.js";
import { GATE_CELLS } from "./canary/gate.js";
import { RECENT_CELLS } from "./canary/recent-requests.js";
import { SPLIT_HOLDS, WEIGHT_CELLS } from "./dealing/weight.js";

/** State that all threads of a proxy share, as views of shared memory. */
export interface SharedState {
  /** See DeckAdmission. */
  admittedPicks: Int32Array;
  /** The same of the decks of prod's hosts. */
  admittedHostPicks: Int32Array;
  /** See SharedWeight. */
  weight: Int32Array;
  /** One cell: the rollout that sticky clients belong to. */
  rollout: BigInt64Array;
  /** See CanaryGate. */
  openUntil: BigInt64Array;
  /** One cell: 1 while the flag is known to be false. */
  flagIsOff: Int32Array;
  /** See Breaker. */
  breaker: Int32Array;
  /** See ConnectionCount. */
  connections: Int32Array;
}

/** State that one thread writes and the main thread reads. */
export interface ThreadState {
  /** One cell: this thread's share of the open connections. */
  connections: Int32Array;
  /** See RecentRequests. */
  recent: Int32Array;
}

export function createThreadState(): ThreadState {
  return {
    connections: createSharedCells(1),
    recent: createSharedCells(RECENT_CELLS),
  };
}

/** The initial state: no decks, no rollout's weight, the canary and the breaker closed, no connections. */
export function createSharedState(): SharedState {
  return {
    admittedPicks: createSharedCells(1),
    admittedHostPicks: createSharedCells(1),
    weight: createWeightCells(),
    rollout: createLongCells(1),
    openUntil: createLongCells(GATE_CELLS),
    flagIsOff: createSharedCells(1),
    breaker: createSharedCells(BREAKER_CELLS),
    connections: createSharedCells(1),
  };
}

/** Readings, at least one of which is not interrupted between its two clocks. */
const CLOCK_READINGS = 10;

/**
 * From `performance.now()`, whose origin differs between threads, to monotonic ms that all threads of the process share.
 *
 * A thread that is interrupted between its two clocks reads too small an offset, and would keep the canary open too long:
 * the largest of several readings counts.
 */
export function readClockOffsetMs(
  readSharedMs = hrtimeMs,
  readOwnMs = () => performance.now(),
): number {
  const readOffset = () => readSharedMs() - readOwnMs();
  return Math.max(...Array.from({ length: CLOCK_READINGS }, readOffset));
}

function hrtimeMs(): number {
  const [seconds, nanoseconds] = hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

function createSharedCells(count: number): Int32Array {
  return new Int32Array(shared(count * Int32Array.BYTES_PER_ELEMENT));
}

function createWeightCells(): Int32Array {
  const cells = createSharedCells(WEIGHT_CELLS);
  cells[0] = SPLIT_HOLDS;
  return cells;
}

function createLongCells(count: number): BigInt64Array<SharedArrayBuffer> {
  return new BigInt64Array(shared(count * BigInt64Array.BYTES_PER_ELEMENT));
}

function shared(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(bytes);
}
