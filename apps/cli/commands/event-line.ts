import { describeEvent } from "../../../lib/flag/ledger-event.js";
import { formatClock } from "../../../lib/wording/units.js";
import type { LedgerEvent } from "../../../lib/flag/ledger.js";
import { toPlain } from "../../../lib/wording/plain-text.js";
import { entryTimeMs } from "../../../lib/redis/stream-entry.js";
import type { Look, Style } from "../output.js";
import { hang } from "../table.js";

const KIND_STYLES: Readonly<Record<string, Style>> = {
  breach: ["bold", "red"],
  recovery: ["bold", "green"],
  alert: "yellow",
  silence: "yellow",
};

/** In a narrower terminal, lines do not say who wrote the event. */
const MIN_WIDTH_WITH_WRITER = 100;

/** `14:03:07 UTC  flip      monitor   feature is off: canary p95 …`, wrapped. The time is Redis's. */
export function drawEvent(
  event: LedgerEvent,
  now: number,
  { paint, width }: Look,
): string[] {
  const time = formatClock(new Date(entryTimeMs(event.id)), now);
  const kind = event.kind.padEnd(8);
  const by =
    width < MIN_WIDTH_WITH_WRITER ? "" : `${toPlain(event.by).padEnd(8)}  `;
  const text = toPlain(describeEvent(event));
  const [first = "", ...rest] = hang(`${time}  ${kind}  ${by}`, text, width);
  const style = styleOf(event);
  return [
    paint("dim", time) +
      first
        .slice(time.length)
        .replace(kind.trimEnd(), (word) => paint(style, word)),
    ...rest,
  ];
}

function styleOf({ kind, data }: LedgerEvent): Style {
  if (kind !== "flip") return KIND_STYLES[kind] ?? "dim";
  return data.value === true ? ["bold", "green"] : ["bold", "red"];
}
