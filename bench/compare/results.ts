import type { FlipFigures } from "./flips.js";
import type { Machine } from "./machine.js";
import type { Range } from "../statistics.js";
import type { SplitFigures } from "./split-error.js";

/** By product. */
export type ByProduct<T> = Record<string, T>;

/** The cost of one scenario, by CPU time for each request. */
export interface CpuFigures {
  name: string;
  title: string;
  /** Requests for each CPU second. */
  perCoreSecond: ByProduct<Range | null>;
  toNginx: ByProduct<Range | null>;
  toHttpProxy: ByProduct<Range | null>;
}

/** A proxy's added latency: in µs, and as a multiple of the addition of nginx or plain http-proxy. */
export interface LatencyFigures {
  requestsPerSecond: number;
  addedP50Us: ByProduct<Range | null>;
  addedP99Us: ByProduct<Range | null>;
  addedP50ToNginx: ByProduct<Range | null>;
  addedP50ToHttpProxy: ByProduct<Range | null>;
  /** The generator's lateness as a share of the backend's own latency. */
  generatorLateness: Range | null;
  generatorProof: GeneratorProof;
}

/** Quantiles of a stalled proxy, as multiples of their lower bound, and counted from sending. */
export interface GeneratorProof {
  p90: number;
  p99: number;
  p99FromSending: number;
}

export interface MemoryFigures {
  warmMb: number;
  /** After all CPU rounds. */
  endMb: number;
}

/** The content of bench/results/latest.json. Parts left out by `--only` are null. */
export interface Results {
  at: string;
  quick: boolean;
  /** The number of rounds, and the duration of each CPU and latency measurement. */
  size: { rounds: number; seconds: number; latencySeconds: number };
  machine: Machine;
  cpu: CpuFigures[];
  latency: LatencyFigures | null;
  flips: ByProduct<FlipFigures>;
  split: ByProduct<SplitFigures>;
  memory: ByProduct<MemoryFigures>;
}
