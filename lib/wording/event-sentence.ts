import type { LedgerEvent } from "../flag/ledger.js";

/** An event in a sentence; a flip's begins with what it did: `feature is off: canary p95 …`. */
export function describeEvent(
  event: Pick<LedgerEvent, "kind" | "reason" | "data">,
): string {
  const { kind, reason, data } = event;
  const { flag, value } = data;
  if (kind !== "flip" || typeof flag !== "string") return reason;
  return `${flag} is ${value === true ? "on" : "off"}: ${reason}`;
}
