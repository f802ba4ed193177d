import { getRandomValues } from "node:crypto";
import { hrtime } from "node:process";
import { BREAKER_CELLS } from "./canary/breaker.js";
import type { Deck } from "./canary/split.js";

/** What the threads of one proxy have in common, as views of memory that all of them see. */
export interface SharedState {
  deck: Deck;
  /** See CanaryGate. */
  openUntil: BigInt64Array;
  /** See Breaker. */
  breaker: Int32Array;
  /** See ConnectionCount. */
  connections: Int32Array;
}

/** All unknown: no pick made, the canary closed, the breaker untripped, nobody connected. */
export function createSharedState(): SharedState {
  return {
    deck: {
      picks: new BigInt64Array(shared(BigInt64Array.BYTES_PER_ELEMENT)),
      seed: getRandomValues(new Uint32Array(2)),
    },
    openUntil: new BigInt64Array(shared(BigInt64Array.BYTES_PER_ELEMENT)),
    breaker: createSharedCells(BREAKER_CELLS),
    connections: createSharedCells(1),
  };
}

/** From `performance.now()`, which starts anew in each thread, to monotonic ms that all threads of the process agree on. */
export function readClockOffsetMs(): number {
  const [seconds, nanoseconds] = hrtime();
  return seconds * 1000 + nanoseconds / 1e6 - performance.now();
}

export function createSharedCells(count: number): Int32Array {
  return new Int32Array(shared(count * Int32Array.BYTES_PER_ELEMENT));
}

function shared(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(bytes);
}
