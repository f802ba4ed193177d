import { randomBytes } from "node:crypto";
import type { FlipOutcome } from "../../../lib/flag/ledger.js";
import { flipAndFollow, type FlipEffect } from "../../../lib/flag/receipts.js";
import { LINK_LIFE_MS, type ActionLink } from "../alert/message/action-link.js";
import type { Store } from "../control/outlook.js";
import { replayVerdict } from "../control/verdict-keeper.js";
import { createMomentBackend } from "./moment-backend.js";
import { createRolloutBackend } from "./rollout-backend.js";
import { createPlanner } from "../plan/planner.js";
import { readState, type StateOutlook } from "./state.js";

/** What the API does. All methods but the last two throw when Redis is away. */
export type ApiBackend = ReturnType<typeof createBackend>;

export function createBackend(store: Store, outlook: StateOutlook) {
  const { ledger, redis, keys } = store;
  const { flagName, alert } = outlook.config;
  const by = "operator" as const;
  const place = { ...store, flagName };
  const nameUse = ({ choice, event }: ActionLink) =>
    keys.usedLink(`${event}:${choice}`);
  const rollouts = createRolloutBackend({ ...place, ledger });
  const flipByLink = async ({ choice, event }: ActionLink, reason: string) => {
    const value = choice === "resume";
    const { outcome, readEffect } = await flipAndFollow(place, value, {
      ...{ by, reason, data: { link: event } },
      ...(value && { supersedes: event }),
    });
    return outcome === "conflict" ? outcome : await readEffect();
  };
  const followLink = (link: ActionLink, reason: string) =>
    link.choice === "promote" || link.choice === "abort"
      ? rollouts.steerByLink({ ...link, verb: link.choice }, reason)
      : flipByLink(link, reason);
  return {
    readState: () => readState(store, outlook),
    readPlan: createPlanner(outlook),
    readEvents: ledger.readEvents.bind(ledger),
    changeFlag: async (change: {
      value: boolean | "toggle";
      reason: string;
    }): Promise<{
      value: boolean;
      outcome: FlipOutcome;
      effect: FlipEffect;
    }> => {
      const { value, reason } = change;
      const flip = { by, reason, data: {} };
      const { readEffect, ...done } = await flipAndFollow(place, value, flip);
      return { ...done, effect: await readEffect() };
    },
    changeRollout: rollouts.changeRollout,
    readRollout: rollouts.readRollout,
    /** Restarts the comparison for a new release of the canary. */
    startRelease: async (reason: string) => {
      const data = { release: true };
      await ledger.record({ kind: "deploy", by, reason, data });
    },
    /** The verdict behind this event, replayed from the ledger; undefined if it has none. */
    readVerdict: async (id: string) => {
      const event = await ledger.readEvent(id);
      return event && replayVerdict(event);
    },
    ...createMomentBackend(store),
    isUsed: async (link: ActionLink) =>
      (await redis.get(nameUse(link))) !== null,
    /**
     * Does what the link says, once. A link resumes the canary only if the event that its message reports is still the last
     * flip, and steers the rollout only if that is where it was.
     */
    follow: async (
      link: ActionLink,
      reason: string,
    ): Promise<{ sentence: string } | "used" | "conflict"> => {
      const use = nameUse(link);
      const claim = await redis.set(use, "1", "PX", 2 * LINK_LIFE_MS, "NX");
      if (claim === null) return "used";
      const release = () => redis.del(use);
      const outcome = await followLink(link, reason).catch(
        async (err: unknown) => {
          await release().catch(() => undefined);
          throw err;
        },
      );
      if (outcome === "conflict") await release();
      return outcome;
    },
    /** Puts a test mail into the outbox; the event's data holds `id`. */
    sendTestMail: async () => {
      const id = randomBytes(8).toString("hex");
      const reason = "this is a test mail: alerts reach you";
      await ledger.record(
        { kind: "alert", by, reason, data: { alert: "test", id } },
        { mail: true },
      );
      return { id, transport: alert.transport };
    },
    /** The channels that cannot deliver alerts at present. */
    heldChannels: () => outlook.heldChannels(),
    /** Why this monitor cannot judge; undefined if it can. */
    obstacle: () =>
      outlook.redisNow() === undefined
        ? "waiting for Redis"
        : outlook.obstacle(),
  };
}
