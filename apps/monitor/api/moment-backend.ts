import type { LedgerEvent } from "../../../lib/flag/ledger-event.js";
import { entryTimeMs } from "../../../lib/redis/stream-entry.js";
import { readRolloutHistory } from "../../../lib/rollout/rollout-history.js";
import { readHarm } from "../../../lib/telemetry/harm.js";
import { readBackground } from "../alert/background.js";
import type { Store } from "../control/outlook.js";
import { replayVerdict } from "../control/verdict-keeper.js";
import type { Moment, RolloutMoment } from "./moment.js";
import { MAX_ROLLOUTS } from "./rollout-backend.js";

/** How long before and after an event its page lists others. */
const AROUND_MS = 600_000;
const MAX_AROUND = 1000;

export function createMomentBackend(store: Store) {
  const { ledger } = store;
  const readMoment = async (id: string): Promise<Moment | undefined> => {
    const event = await ledger.readEvent(id);
    if (event === undefined) return undefined;
    const at = entryTimeMs(id);
    const after = String(Math.max(0, at - AROUND_MS));
    const present = {
      versions: () => [],
      readHarm: (stop: LedgerEvent) => readHarm(store, stop),
    };
    const [background, since] = await Promise.all([
      readBackground(ledger, event, present),
      ledger.readEvents({ limit: MAX_AROUND, after }),
    ]);
    return {
      report: { event, others: [], background },
      routes: replayVerdict(event)?.verdict.routes ?? [],
      around: since.filter((one) => entryTimeMs(one.id) <= at + AROUND_MS),
    };
  };
  return {
    /** Undefined if the ledger has no such event. */
    readMoment,
    /** Undefined if the ledger has no such rollout. */
    readRolloutMoment: async (
      id: number,
    ): Promise<RolloutMoment | undefined> => {
      const all = await readRolloutHistory(ledger, MAX_ROLLOUTS);
      const found = all.find(({ summary }) => summary.rollout === id);
      const last = await readMoment(found?.events[0]?.id ?? "0-0");
      return (
        found &&
        last && {
          ...{ last, events: found.events },
          others: all
            .map(({ summary }) => summary)
            .filter(({ rollout }) => rollout !== id),
        }
      );
    },
  };
}
