import type { LedgerEvent } from "../../../lib/flag/ledger.js";
import { entryTimeMs } from "../../../lib/redis/stream-entry.js";
import { typeOfAlert } from "./alerts.js";
import type { OutboxEntry } from "./outbox.js";

/**
 * The entries of the next message. Alerts of one kind wait for each other for `groupMs` after the first of them, because they
 * probably have one cause. Everything else waits for nothing, and overtakes them.
 *
 * @param entries oldest first
 * @param now by Redis's clock
 * @returns an empty list if all of them wait
 */
export function pickBatch(
  entries: readonly OutboxEntry[],
  groupMs: number,
  now: number,
): OutboxEntry[] {
  const groups = new Map<string, OutboxEntry[]>();
  for (const entry of entries) {
    const key = findGroup(entry.event) ?? entry.id;
    groups.set(key, [...(groups.get(key) ?? []), entry]);
  }
  const due = [...groups].map(([key, group]) => {
    const [{ id } = { id: key }] = group;
    const waitMs = key === id ? 0 : groupMs;
    return { group, at: entryTimeMs(id) + waitMs };
  });
  const [first] = due.sort((a, b) => a.at - b.at);
  // Redis's clock may have been set back.
  const waits =
    first !== undefined && first.at > now && first.at - now <= groupMs;
  return first === undefined || waits ? [] : first.group;
}

/** Undefined for an event that waits for no other. */
function findGroup(event: LedgerEvent | undefined): string | undefined {
  const { kind, data } = event ?? {};
  const alert = data?.alert;
  return typeof alert === "string" && alert !== "test"
    ? `${kind} ${typeOfAlert(alert)}`
    : undefined;
}
