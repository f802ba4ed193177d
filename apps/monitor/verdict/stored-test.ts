import * as z from "zod";
import { BUCKETS } from "./evidence/buckets.js";
import { COMPONENT_COUNT } from "./evidence/dictionary.js";
import { storedRefusals } from "./evidence/not-served.js";
import { storedOpenBlock } from "./open-block.js";
import { storedRoute } from "./route-counts.js";
import { sparseSchema } from "./sparse.js";

const byComponent = z.array(z.number()).length(COMPONENT_COUNT);
const count = z.int().nonnegative();
const sides = z.object({ prod: count, canary: count });

const storedStretch = z.object({
  number: count,
  startedAt: z.number(),
  routes: z.array(z.tuple([z.string(), storedRoute])),
  splits: z.array(
    z.object({
      share: z.number().gt(0).lt(1),
      dealt: sides,
      requests: sides,
      errors: sides,
    }),
  ),
  guard: z.object({
    blocks: count,
    largest: z.array(byComponent),
    scatter: byComponent,
    deviations: byComponent,
    variances: byComponent,
  }),
  refusals: storedRefusals.optional(),
});
export type StoredStretch = z.infer<typeof storedStretch>;

/**
 * All input of a verdict, as JSON: of the running test in Redis, and of one that stopped a canary in the ledger. A restored
 * test gives the same verdict.
 */
export const storedTest = z.object({
  startedAt: z.number(),
  attempt: count,
  tolerance: z.object({ ratio: z.number(), ms: z.number() }),
  lastAt: z.number().nullable(),
  warmUp: z.object({
    since: z.number().nullable(),
    canaryRequests: count,
    isOver: z.boolean(),
  }),
  seen: z.array(z.string()),
  /** Prod's earlier latencies on each compared route. */
  warmUps: z.array(z.tuple([z.string(), sparseSchema(BUCKETS)])),
  whole: storedStretch,
  restarts: z.array(storedStretch),
  restartsBegun: count,
  block: storedOpenBlock.nullable(),
  oneSidedSince: z.number().nullable(),
  flaw: z.object({ because: z.string(), until: z.number() }).nullable(),
  isWorse: z.boolean(),
});
export type StoredTest = z.infer<typeof storedTest>;
