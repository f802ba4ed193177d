import { randomBytes } from "node:crypto";
import type { FlipOutcome } from "../../../lib/flag/ledger.js";
import { flipAndFollow, type FlipEffect } from "../../../lib/flag/receipts.js";
import type { Store } from "../control/outlook.js";
import { replayVerdict } from "../control/verdict-keeper.js";
import { readState, type StateOutlook } from "./state.js";

/** What the API does. All methods but the last two throw when Redis is away. */
export type ApiBackend = ReturnType<typeof createBackend>;

export function createBackend(store: Store, outlook: StateOutlook) {
  const { ledger } = store;
  const { config } = outlook;
  const by = "operator" as const;
  return {
    readState: () => readState(store, outlook),
    readEvents: (query: Parameters<typeof ledger.readEvents>[0]) =>
      ledger.readEvents(query),
    changeFlag: async (change: {
      value: boolean | "toggle";
      reason: string;
    }): Promise<{
      value: boolean;
      outcome: FlipOutcome;
      effect: FlipEffect;
    }> => {
      const { readEffect, ...flipped } = await flipAndFollow(
        { ...store, flagName: config.flagName },
        change.value,
        { by, reason: change.reason, data: {} },
      );
      return { ...flipped, effect: await readEffect() };
    },
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
    /** Puts a test mail into the outbox; the event's data holds `id`. */
    sendTestMail: async () => {
      const id = randomBytes(8).toString("hex");
      const reason = "this is a test mail: alerts reach you";
      await ledger.record(
        { kind: "alert", by, reason, data: { alert: "test", id } },
        { mail: true },
      );
      return { id, transport: config.alert.transport };
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
