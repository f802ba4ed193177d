import * as z from "zod";
import type { Ledger } from "../flag/ledger.js";
import type { LedgerEvent } from "../flag/ledger-event.js";
import { entryTimeMs } from "../redis/stream-entry.js";

/** Enough for dozens of rollouts, with each step an event. */
const MAX_READ = 5000;

/** A rollout as the ledger has it. Times are ISO 8601, UTC. */
export const pastRollout = z.object({
  rollout: z.number(),
  candidate: z.string(),
  phase: z.string(),
  startedAt: z.string(),
  /** When, by whom and why it was changed last. */
  changedAt: z.string(),
  by: z.string(),
  reason: z.string(),
});
export type PastRollout = z.infer<typeof pastRollout>;

/** Newest first, each with its events, newest first. @throws if Redis is unreachable */
export async function readRolloutHistory(
  ledger: Pick<Ledger, "readEvents">,
  limit: number,
): Promise<{ summary: PastRollout; events: LedgerEvent[] }[]> {
  const found = await ledger.readEvents({
    limit: MAX_READ,
    where: ({ data }) => typeof data.rollout === "number",
  });
  const groups = new Map<number, LedgerEvent[]>();
  for (const event of found) {
    const id = Number(event.data.rollout);
    groups.set(id, [...(groups.get(id) ?? []), event]);
  }
  return [...groups]
    .slice(0, limit)
    .map(([id, events]) => ({ summary: summarise(id, events), events }));
}

function summarise(
  rollout: number,
  events: readonly LedgerEvent[],
): PastRollout {
  const [last, first] = [events[0], events.at(-1)];
  const read = (name: string) =>
    events.map(({ data }) => data[name]).find((it) => typeof it === "string");
  const timeOf = (event: LedgerEvent | undefined) =>
    new Date(entryTimeMs(event?.id ?? "0")).toISOString();
  return {
    rollout,
    candidate: read("candidate") ?? "unknown",
    phase: read("phase") ?? "unknown",
    startedAt: timeOf(first),
    changedAt: timeOf(last),
    by: last?.by ?? "",
    reason: last?.reason ?? "",
  };
}
