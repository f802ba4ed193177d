import * as z from "zod";

const text = z.string().optional().catch(undefined);
const number = z.number().optional().catch(undefined);
const flag = z.boolean().optional().catch(undefined);

/** The fields that messages use. A field of the wrong type counts as absent. */
const knownData = z.object({
  /** Goes into shell commands: only valid names may. */
  flag: z
    .string()
    .regex(/^[\w.-]{1,64}$/)
    .optional()
    .catch(undefined),
  value: flag,
  rule: text,
  side: text,
  quantile: number,
  latencyMs: number,
  thresholdMs: number,
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
