import type { NewEvent } from "../../../lib/flag/ledger.js";
import type { Store } from "./controller.js";
import { refuseFenced } from "../leader/leadership.js";
import {
  describeEnd,
  isOver,
  type Alert,
  type Senses,
} from "../alert/alerts.js";

/**
 * Raises each alert once and clears it once, with an event and a message each. Raised alerts are stored in Redis, so this
 * holds across monitors and restarts.
 *
 * @param now.senses decide whether a raised alert that is not in `alerts` is over
 * @throws FencedError
 */
export async function reconcileAlerts(
  { redis, keys, ledger }: Store,
  now: { alerts: readonly Alert[]; senses: Senses; fence: string },
): Promise<void> {
  const { alerts, senses, fence } = now;
  const write = async (
    event: Pick<NewEvent, "kind" | "reason" | "data">,
    alert: { id: string; op: "raise" | "clear" },
  ) => {
    const entry = { ...event, by: "monitor" };
    const outcome = await ledger.record(entry, { mail: true, fence, alert });
    refuseFenced(outcome, fence);
  };
  const raised = new Set(await redis.hkeys(keys.alerts));
  for (const { id, kind, reason, data } of alerts)
    if (!raised.delete(id))
      await write({ kind, reason, data }, { id, op: "raise" });
  for (const id of raised) {
    if (!isOver(id, senses)) continue;
    const reason = describeEnd(id);
    const data = { alert: id };
    await write({ kind: "recovery", reason, data }, { id, op: "clear" });
  }
}
