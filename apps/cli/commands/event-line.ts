import { describeEvent } from "../../../lib/flag/ledger-event.js";
import { formatClock } from "../../../lib/wording/units.js";
import type { LedgerEvent } from "../../../lib/flag/ledger.js";
import { toPlain } from "../../../lib/wording/plain-text.js";
import { entryTimeMs } from "../../../lib/redis/stream-entry.js";
import type { Paint, Style } from "../output.js";

const KIND_STYLES: Readonly<Record<string, Style>> = {
  flip: ["bold", "cyan"],
  breach: ["bold", "red"],
  recovery: ["bold", "green"],
  alert: "yellow",
  silence: "yellow",
};

/** `14:03:07  flip      monitor   feature is off: canary p95 …`. The time is Redis's, in local time. */
export function renderEvent(
  event: LedgerEvent,
  now: number,
  paint: Paint,
): string {
  const time = formatClock(new Date(entryTimeMs(event.id)), now);
  const kind = paint(KIND_STYLES[event.kind] ?? "dim", event.kind.padEnd(8));
  const by = toPlain(event.by).padEnd(8);
  return `${paint("dim", time)}  ${kind}  ${by}  ${toPlain(describeEvent(event))}`;
}
