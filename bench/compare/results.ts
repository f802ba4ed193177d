import type { FlipFigures } from "./flips.js";
import type { Machine } from "./machine.js";
import type { Range } from "../statistics.js";
import type { SplitFigures } from "./split-error.js";

/** By product. */
export type ByProduct<T> = Record<string, T>;

/** What one scenario costs, by the CPU time of each request. */
export interface CpuFigures {
  name: string;
  title: string;
  /** Requests in each second of one core's time. */
  perCoreSecond: ByProduct<Range | null>;
  toNginx: ByProduct<Range | null>;
  toHttpProxy: ByProduct<Range | null>;
}

/** What a proxy adds to the backend's own latency: in µs, and as a multiple of what nginx or plain http-proxy adds. */
export interface LatencyFigures {
  requestsPerSecond: number;
  addedP50Us: ByProduct<Range | null>;
  addedP99Us: ByProduct<Range | null>;
  addedP50ToNginx: ByProduct<Range | null>;
  addedP50ToHttpProxy: ByProduct<Range | null>;
  /** How late the generator was, as a share of the backend's own latency. */
  generatorLateness: Range | null;
  generatorProof: GeneratorProof;
}

/** Quantiles of a proxy that stood still, as multiples of the least that they can be; and counted from the sending. */
export interface GeneratorProof {
  p90: number;
  p99: number;
  p99FromSending: number;
}

export interface MemoryFigures {
  warmMb: number;
  /** After all of the CPU rounds. */
  endMb: number;
}

/** What bench/results/latest.json holds. What was left out by `--only` is null. */
export interface Results {
  at: string;
  quick: boolean;
  /** How many rounds there were, and how long each measurement of CPU and of latency took in each. */
  size: { rounds: number; seconds: number; latencySeconds: number };
  machine: Machine;
  cpu: CpuFigures[];
  latency: LatencyFigures | null;
  flips: ByProduct<FlipFigures>;
  split: ByProduct<SplitFigures>;
  memory: ByProduct<MemoryFigures>;
}
