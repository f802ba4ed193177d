import * as z from "zod";

const text = z.string().optional().catch(undefined);
const number = z.number().optional().catch(undefined);
const flag = z.boolean().optional().catch(undefined);

/** The fields that messages use. A field of the wrong type counts as absent. */
const knownData = z.object({
  flag: text,
  value: flag,
  rule: text,
  /** The reason without its figures. */
  brief: text,
  /** The id of the rollout that it is about, and its phase then. */
  rollout: number,
  phase: text,
  alert: text,
  source: text,
  version: text,
  prodVersion: text,
  side: text,
  route: text,
  quantile: number,
  latencyMs: number,
  thresholdMs: number,
  windowMs: number,
  requests: number,
  slow: number,
  waiting: number,
  failed: number,
  canaryRequests: number,
  canaryBeforeMs: number,
  canaryLatencyMs: number,
  prodLatencyMs: number,
  cpuRatio: number,
  threshold: number,
  nextTryAt: text,
  latched: flag,
});

export type KnownData = z.infer<typeof knownData>;

/** Never throws. */
export function readKnownData(data: Record<string, unknown>): KnownData {
  return knownData.parse(data);
}
