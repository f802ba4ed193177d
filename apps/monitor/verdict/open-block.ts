import * as z from "zod";
import type { SparseHistogram } from "../../../lib/telemetry/latency-histogram.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";
import { BUCKETS } from "./evidence/buckets.js";
import { Block } from "./evidence/burst-guard.js";
import {
  createLatencyCounts,
  type LatencyCounts,
} from "./evidence/latency-evidence.js";
import type { RouteCounts } from "./route-counts.js";
import { fromSparse, sparseSchema, toSparse } from "./sparse.js";

const coarseSides = z.object({
  prod: sparseSchema(BUCKETS),
  canary: sparseSchema(BUCKETS),
});
export const storedOpenBlock = z.object({
  index: z.int(),
  counts: z.array(z.tuple([z.string(), z.number().gt(0).lt(1), coarseSides])),
});
export type StoredOpenBlock = z.infer<typeof storedOpenBlock>;

/** The guard's current block. */
export class OpenBlock {
  /** The number of its five seconds since the epoch. */
  index: number;
  readonly #counts = new Map<string, Map<number, LatencyCounts>>();

  constructor(index: number) {
    this.index = index;
  }

  get isEmpty(): boolean {
    return this.#counts.size === 0;
  }

  add(
    name: string,
    route: RouteCounts,
    requests: { share: number; side: Side; latency: SparseHistogram },
  ): void {
    const { share, side, latency } = requests;
    if (latency.length === 0) return;
    route.addCoarse(this.#countsOf(name, share), side, latency);
  }

  /** The sums so far. */
  sum(routes: ReadonlyMap<string, RouteCounts>): Block {
    const block = new Block();
    for (const [name, byShare] of this.#counts) {
      const route = routes.get(name);
      if (route === undefined) continue;
      for (const [share, counts] of byShare)
        block.add(counts, route.dictionary, share);
    }
    return block;
  }

  toStored(): StoredOpenBlock {
    return {
      index: this.index,
      counts: [...this.#counts].flatMap(([name, byShare]) =>
        [...byShare].map(
          ([share, { prod, canary }]): StoredOpenBlock["counts"][number] => [
            name,
            share,
            { prod: toSparse(prod), canary: toSparse(canary) },
          ],
        ),
      ),
    };
  }

  static restore(stored: StoredOpenBlock): OpenBlock {
    const block = new OpenBlock(stored.index);
    for (const [name, share, { prod, canary }] of stored.counts) {
      const counts = block.#countsOf(name, share);
      counts.prod.set(fromSparse(prod, BUCKETS));
      counts.canary.set(fromSparse(canary, BUCKETS));
    }
    return block;
  }

  #countsOf(name: string, share: number): LatencyCounts {
    const byShare = this.#counts.get(name) ?? new Map<number, LatencyCounts>();
    this.#counts.set(name, byShare);
    const counts = byShare.get(share) ?? createLatencyCounts();
    byShare.set(share, counts);
    return counts;
  }
}
