export const EVENT_KINDS = [
  "flip",
  "rollout",
  "breach",
  "recovery",
  "alert",
  "silence",
  "deploy",
  "start",
  "stop",
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

/** An entry of the ledger. */
export interface LedgerEvent {
  id: string;
  kind: EventKind;
  /** monitor, operator, proxy, deploy or agent. */
  by: string;
  /** A sentence for people. */
  reason: string;
  /** ISO 8601, UTC, by the writer's clock. The id begins with the time by Redis's clock in ms. */
  at: string;
  data: Record<string, unknown>;
}

/** Whether this is the cause of the flip that follows it, which repeats its sentence and data. */
export function isRepeatedByFlip({
  kind,
  data,
}: Pick<LedgerEvent, "kind" | "data">): boolean {
  const isCause = kind === "breach" || kind === "recovery";
  return isCause && typeof data.value === "boolean";
}

/** The event in a sentence. A flip begins with the flag's new value: `feature is off: canary p95 …`. */
export function describeEvent(
  event: Pick<LedgerEvent, "kind" | "reason" | "data">,
): string {
  const { kind, reason, data } = event;
  const { flag, value } = data;
  if (kind !== "flip" || typeof flag !== "string") return reason;
  return `${flag} is ${value === true ? "on" : "off"}: ${reason}`;
}
