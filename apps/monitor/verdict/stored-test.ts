import * as z from "zod";
import { TOP_BUCKET } from "../../../lib/telemetry/latency-histogram.js";
import { BUCKETS, COMPONENT_COUNT } from "./evidence/dictionary.js";
import { storedRefusals } from "./evidence/not-served.js";
import { SUMS } from "./evidence/stall-guard.js";
import { sparseSchema } from "./baseline/sparse.js";

const byComponent = z.array(z.number()).length(COMPONENT_COUNT);
const count = z.int().nonnegative();
const sides = z.object({ prod: count, canary: count });
const histogram = sparseSchema(TOP_BUCKET + 1);

const storedStretch = z.object({
  number: count,
  startedAt: z.number(),
  firstEpoch: count,
  canaryInDecks: count,
  routes: z.array(
    z.tuple([
      z.string(),
      z.object({ prod: histogram, canary: histogram }),
      byComponent,
    ]),
  ),
  splits: z.array(
    z.object({
      share: z.number().gt(0).lt(1),
      dealt: sides,
      requests: sides,
      errors: sides,
    }),
  ),
  refusals: storedRefusals,
  closed: z.record(z.enum(SUMS), byComponent),
});
export type StoredStretch = z.infer<typeof storedStretch>;

/** The settings that a test keeps to its end. */
const storedRules = z.object({
  tolerance: z.object({ ratio: z.number(), ms: z.number() }),
  stallMs: z.number(),
  warmUpMs: z.number(),
  /** See HostFactor; 1 if absent. */
  hostFactor: z.number().positive().optional(),
});
export type TestRules = z.infer<typeof storedRules>;

/**
 * All input of a verdict, as JSON: of the running test in Redis, and of one that stopped a canary in the ledger. A restored
 * test gives the same verdict. Open epochs are not in it: the ledger's has them in the closed sums, and Redis's is from
 * before they began, to be continued from the telemetry since then.
 */
export const storedTest = z.object({
  startedAt: z.number(),
  attempt: count,
  rules: storedRules,
  lastAt: z.number().nullable(),
  warmUp: z.object({
    since: z.number().nullable(),
    canaryRequests: count,
    until: z.number().nullable(),
  }),
  seen: z.array(z.string()),
  /** Prod's earlier latencies on each compared route, and requests a second. */
  compared: z.array(z.tuple([z.string(), sparseSchema(BUCKETS), z.number()])),
  ratio: z.object({ prod: count, canary: count }).nullable(),
  /** The last epoch that is closed, though its decks may still come. */
  sealed: z.int(),
  whole: storedStretch,
  restarts: z.array(storedStretch),
  restartsBegun: count,
  /** The largest weight in percent so far, and whether it has grown since the last restart. */
  weight: z.number().nullable().default(null),
  hasGrown: z.boolean().default(false),
  oneSidedSince: z.number().nullable(),
  flaw: z.object({ because: z.string(), until: z.number() }).nullable(),
  isWorse: z.boolean(),
});
export type StoredTest = z.infer<typeof storedTest>;
