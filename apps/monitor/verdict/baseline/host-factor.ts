import * as z from "zod";
import {
  FINER,
  TOP_DECK_BUCKET,
  type DealtDeck,
} from "../../../../lib/telemetry/decks.js";
import { fromSparse, sparseSchema, toSparse } from "./sparse.js";

/** The canary requests whose median is compared with prod's. */
const CANARY_REQUESTS = 2000;
/** What is corrected; a difference beyond it is for a person. */
const LEAST_FACTOR = 0.8;
export const MOST_FACTOR = 1.25;
/** A smaller change of the factor is not worth a new test. */
const SMALL_CHANGE = 0.03;

const counts = sparseSchema(TOP_DECK_BUCKET + 1);
export const storedHostFactor = z.object({
  /** Null before the first. */
  ratio: z.number().positive().nullable(),
  factor: z.number().positive(),
  prod: counts,
  canary: counts,
});
type Stored = z.infer<typeof storedHostFactor>;

/** How many times slower the canary's hosts are, and what the verdict makes of it. */
export interface HostDifference {
  ratio: number;
  factor: number;
}

/**
 * The difference between the canary's hosts and prod's, learned while both run the same version: the ratio of the medians of dealt
 * requests. A release is judged by the factor that was known before it, so the test stays exact.
 */
export class HostFactor {
  #ratio: number | null = null;
  #factor = 1;
  #prod = createCounts();
  #canary = createCounts();

  /** What the verdict divides the canary's latencies by. */
  get factor(): number {
    return this.#factor;
  }

  /** As last learned; undefined before. */
  get difference(): HostDifference | undefined {
    return this.#ratio === null
      ? undefined
      : { ratio: this.#ratio, factor: this.#factor };
  }

  /** @returns whether the factor has changed */
  learn(decks: readonly DealtDeck[]): boolean {
    for (const { nc, requests } of decks)
      requests.forEach(([, bucket], j) => {
        const side = j < nc ? this.#canary : this.#prod;
        side[bucket] = (side[bucket] ?? 0) + 1;
      });
    if (total(this.#canary) < CANARY_REQUESTS) return false;
    const ratio = medianOf(this.#canary) / medianOf(this.#prod);
    this.forget();
    this.#ratio = ratio;
    const factor = Math.min(MOST_FACTOR, Math.max(LEAST_FACTOR, ratio));
    if (Math.abs(Math.log(factor / this.#factor)) < SMALL_CHANGE) return false;
    this.#factor = factor;
    return true;
  }

  /** Forgets the requests that have not led to a factor: a version has changed. */
  forget(): void {
    this.#prod = createCounts();
    this.#canary = createCounts();
  }

  toStored(): Stored {
    return {
      ratio: this.#ratio,
      factor: this.#factor,
      prod: toSparse(this.#prod),
      canary: toSparse(this.#canary),
    };
  }

  static restore({ ratio, factor, prod, canary }: Stored): HostFactor {
    const hosts = new HostFactor();
    hosts.#ratio = ratio;
    hosts.#factor = factor;
    hosts.#prod = fromSparse(prod, TOP_DECK_BUCKET + 1);
    hosts.#canary = fromSparse(canary, TOP_DECK_BUCKET + 1);
    return hosts;
  }
}

function createCounts(): Float64Array {
  return new Float64Array(TOP_DECK_BUCKET + 1);
}

function total(counts: Float64Array): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** In any unit. */
function medianOf(counts: Float64Array): number {
  const half = total(counts) / 2;
  let below = 0;
  const bucket = counts.findIndex((count) => (below += count) >= half);
  const inside = 1 - (below - half) / (counts[bucket] ?? 1);
  return 2 ** ((bucket - 1 + inside) / (16 * FINER));
}
