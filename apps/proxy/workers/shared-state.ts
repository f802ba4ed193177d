import { getRandomValues } from "node:crypto";
import { BREAKER_CELLS } from "../canary/breaker.js";
import type { Deck } from "../canary/shared-split.js";

/** What the threads of one proxy have in common, as views of memory that all of them see. */
export interface SharedState {
  deck: Deck;
  /** See SharedGate. */
  openUntil: BigInt64Array;
  /** See Breaker. */
  breaker: Int32Array;
  /** See SharedConnectionCount. */
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

export function createSharedCells(count: number): Int32Array {
  return new Int32Array(shared(count * Int32Array.BYTES_PER_ELEMENT));
}

function shared(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(bytes);
}
