import * as z from "zod";
import type { Ledger } from "../../../lib/flag/ledger.js";
import type { FlipEffect, Place } from "../../../lib/flag/receipts.js";
import {
  pastRollout,
  readRolloutHistory,
} from "../../../lib/rollout/rollout-history.js";
import {
  rolloutReport,
  toRolloutReport,
} from "../../../lib/rollout/rollout-report.js";
import { entryTimeMs } from "../../../lib/redis/stream-entry.js";
import { RolloutStore } from "../../../lib/rollout/rollout-store.js";
import { steer } from "../../../lib/rollout/steer.js";
import type { Request } from "../../../lib/rollout/transitions.js";

export const MAX_ROLLOUTS = 50;

/** The answer of `GET /api/rollout`. */
export const rolloutAnswer = z.object({
  /** The current or last one; null if there was none, or if it cannot be read: then `problem` says why. */
  current: rolloutReport.nullable(),
  problem: z.string().nullable(),
  /** Newest first. */
  history: z.array(pastRollout),
});
type RolloutAnswer = z.infer<typeof rolloutAnswer>;

export function createRolloutBackend(place: Place & { ledger: Ledger }) {
  const { redis, keys, flagName } = place;
  const rollouts = new RolloutStore(redis, keys, flagName);
  return {
    changeRollout: async (
      request: Request,
      given: string | undefined,
    ): Promise<
      { sentence: string; effect: FlipEffect | undefined } | string
    > => {
      const steered = await steer(place, request, {
        by: "operator",
        explain: (sentence) =>
          given === undefined ? sentence : `${sentence}: ${given}`,
      });
      if ("refusal" in steered) return steered.refusal;
      const { sentence, readEffect } = steered;
      return { sentence, effect: await readEffect() };
    },
    /** For the rollout that the event reports, as long as that is where it was. */
    steerByLink: async (
      { verb, event }: { verb: "promote" | "abort"; event: string },
      reason: string,
    ): Promise<{ sentence: string } | "conflict"> => {
      const [reported, { rollout }] = await Promise.all([
        place.ledger.readEvent(event),
        rollouts.read(),
      ]);
      const { rollout: id, step, phase } = reported?.data ?? {};
      if (rollout === undefined || rollout.id !== id) return "conflict";
      // It was retried since.
      if (entryTimeMs(event) < rollout.startedAt) return "conflict";
      const hasMoved = rollout.step !== step || rollout.phase !== phase;
      if (verb === "promote" && hasMoved) return "conflict";
      const steered = await steer(
        place,
        { verb },
        { by: "operator", explain: () => reason, data: { link: event } },
      );
      if ("refusal" in steered) return "conflict";
      const effect = await steered.readEffect();
      const sentences = [steered.sentence, effect?.sentence];
      return { sentence: sentences.filter(Boolean).join("; ") };
    },
    readRollout: async (): Promise<RolloutAnswer> => {
      const [{ rollout, problem = null }, past] = await Promise.all([
        rollouts.read(),
        readRolloutHistory(place.ledger, MAX_ROLLOUTS),
      ]);
      return {
        current: rollout === undefined ? null : toRolloutReport(rollout),
        problem,
        history: past.map(({ summary }) => summary),
      };
    },
  };
}
