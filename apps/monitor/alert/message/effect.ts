import type { EventKind, LedgerEvent } from "../../../../lib/flag/ledger.js";
import { compareMs, formatQuantile } from "../../../../lib/wording/units.js";
import { formatUtc } from "./figures.js";
import type { KnownData } from "./known-data.js";

/** Events that do not flip the flag, but may be a reason to do so. */
const MAY_CALL_FOR_STOP = new Set<EventKind>(["alert", "silence"]);

/** The consequences of an event, in words. */
export interface Effect {
  tone: "good" | "bad" | "warning";
  /** For the subject. */
  title: string;
  /** What happens next if nobody acts, in sentences. */
  next: string;
  /** The value that a person may want to set. */
  switchTo: boolean | undefined;
}

export function describeEffect(
  event: LedgerEvent,
  data: KnownData & { flag: string },
): Effect {
  if (data.value === undefined || event.kind !== "flip")
    return describeOccurrence(event);
  const cause = describeCause(event, data);
  if (data.value)
    return {
      tone: "good",
      title: `canary resumed: ${data.flag} is on${cause}`,
      next: `The canary gets its share of the requests again. ${nextWhileOn(event.by)}`,
      switchTo: false,
    };
  const stopped = data.latched === true ? "stopped and latched" : "stopped";
  return {
    tone: "bad",
    title: `canary ${stopped}: ${data.flag} is off${cause}`,
    next: `All requests go to prod, which serves without the feature. ${nextWhileOff(event.by, data)}`,
    switchTo: true,
  };
}

function describeOccurrence({ kind, reason, data }: LedgerEvent): Effect {
  const mayCallForStop = MAY_CALL_FOR_STOP.has(kind) && data.alert !== "test";
  return {
    tone: kind === "recovery" ? "good" : "warning",
    title: `${kind}: ${reason}`,
    next:
      kind === "flip"
        ? "The event does not say which way: see the dashboard."
        : "Nothing was switched: the flag stays as it is.",
    switchTo: mayCallForStop ? false : undefined,
  };
}

/** In parentheses, for the title; empty after a recovery. */
function describeCause(event: LedgerEvent, data: KnownData): string {
  const { rule, latencyMs, thresholdMs } = data;
  if (rule === "recovery") return "";
  if (
    rule === "latency" &&
    latencyMs !== undefined &&
    thresholdMs !== undefined
  )
    return ` (${nameLatency(data)} ${compareMs(latencyMs, thresholdMs)})`;
  return event.by === "monitor"
    ? ` (${event.reason})`
    : ` (${event.by}: ${event.reason})`;
}

/** A mail is about the canary's latency unless it names prod's. */
function nameLatency({ side, quantile }: KnownData): string {
  const name = quantile === undefined ? "latency" : formatQuantile(quantile);
  return side === undefined || side === "canary" ? name : `${side} ${name}`;
}

function nextWhileOff(by: string, { latched, nextTryAt }: KnownData): string {
  if (by !== "monitor")
    return "The monitor undoes only its own flips: it stays off until an operator switches it on.";
  if (latched === true)
    return "It is latched: it stays off until a person switches it on.";
  if (nextTryAt !== undefined)
    return `The monitor tries again at ${formatUtc(nextTryAt)}, if the canary is healthy then.`;
  return "The monitor does not try again: it stays off until a person switches it on.";
}

function nextWhileOn(by: string): string {
  return by === "monitor"
    ? "If it goes bad again, it is stopped again, and the wait before the next try is longer."
    : "The monitor keeps watching it.";
}
