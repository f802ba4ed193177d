import { specSchema, type Spec } from "../../../lib/rollout/spec.js";
import { RolloutStore } from "../../../lib/rollout/rollout-store.js";
import { decide, type Request } from "../../../lib/rollout/transitions.js";
import type { TestRedis } from "./test-redis.js";

/** @param blocks as in serin.yml */
export function readSpec(blocks: {
  rollout?: unknown;
  analysis?: unknown;
}): Spec {
  return specSchema.parse(blocks);
}

/** Two steps, a pause and a last step. */
export const SPEC = readSpec({
  rollout: {
    steps: [
      { weight: 0, check: "true" },
      { weight: 7.5, for: "60s", requests: 50 },
      { pause: true },
      { weight: 25, for: "90s" },
    ],
  },
});

export const START = {
  verb: "start" as const,
  candidate: "0.3.0",
  stable: "0.2.0",
  spec: SPEC,
};

export function openRollout(test: Pick<TestRedis, "redis" | "keys">) {
  const store = new RolloutStore(test.redis, test.keys, "feature");
  return {
    store,
    /** What happened, or why nothing did. */
    ask: async (
      request: Request,
      cause: Partial<Parameters<RolloutStore["apply"]>[1]> = {},
    ): Promise<string> => {
      const reading = await store.read();
      const decision = decide(reading, request, reading.now);
      if ("refusal" in decision) return `refused: ${decision.refusal}`;
      const { change, sentence } = decision;
      const outcome = await store.apply(change, {
        ...{ by: "operator", reason: sentence },
        ...cause,
      });
      return outcome === "changed" ? sentence : outcome;
    },
    rollout: async () => (await store.read()).rollout!,
  };
}
