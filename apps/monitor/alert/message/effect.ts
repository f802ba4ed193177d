import type { EventKind, LedgerEvent } from "../../../../lib/flag/ledger.js";
import { formatTime } from "../../../../lib/wording/figures.js";
import type { Background } from "./report.js";
import type { KnownData } from "./known-data.js";
import { nameRelease } from "../../../../lib/wording/release-name.js";

/** Events that do not flip the flag, but may be a reason to do so. */
const MAY_CALL_FOR_STOP = new Set<EventKind>(["alert", "silence"]);

/** The consequences of an event, in words. */
export interface Effect {
  tone: "good" | "bad" | "warning";
  /** For the subject. */
  title: string;
  /** What users have now, in a sentence. */
  now: string;
  /** What happens next if nobody acts; undefined if nothing does. */
  next: string | undefined;
  /** The actions that the message offers. */
  choices: readonly Choice[];
}

/** The last two are for the rollout that the message is about, as long as it is where it was. */
export type Choice = "stop" | "keep" | "resume" | "promote" | "abort";

export const CHOICE_LABELS: Record<Choice, string> = {
  stop: "Stop the canary",
  keep: "Keep it stopped",
  resume: "Let it in again",
  promote: "Promote to the next step",
  abort: "Abort the rollout",
};

/** @param summary in place of the event's reason, if it is one of several */
export function describeEffect(
  event: LedgerEvent,
  data: KnownData & Pick<Background, "withoutFeature">,
  summary = event.reason,
): Effect {
  const { withoutFeature } = data;
  if (event.kind === "rollout") return describeRolloutChange(summary, data);
  if (data.value === undefined || event.kind !== "flip")
    return describeOccurrence(event, summary, withoutFeature);
  const release = nameRelease(data.version) ?? "canary";
  const cause = describeCause(event, data);
  if (data.value)
    return {
      tone: "good",
      title: `${release} resumed${cause}`,
      now: `The canary gets its share of the requests again.${withoutFeature === undefined ? "" : ` Until then, prod answered ${withoutFeature}.`}`,
      next: nextWhileOn(event.by),
      choices: ["stop"],
    };
  const stopped = data.latched === true ? "stopped and latched" : "stopped";
  const prod = nameRelease(data.prodVersion);
  return {
    tone: "bad",
    title: `${release} ${stopped}${cause}`,
    now: `All requests go to prod${prod === undefined ? "" : ` (${prod})`}, which ${withoutFeature === undefined ? "serves without the feature" : `answers ${withoutFeature}`}.`,
    next: nextWhileOff(event.by, data),
    choices: event.by === "operator" ? ["resume"] : ["keep", "resume"],
  };
}

/** What people should know of a rollout that neither starts nor ends by a flip. */
function describeRolloutChange(
  summary: string,
  { phase = "", rollout = 0 }: KnownData,
): Effect {
  const { tone, now, next } = CHANGES[phase] ?? {
    ...{ tone: "warning" as const, next: undefined },
    now: "The canary gets its share of the requests.",
  };
  return {
    ...{ tone, now, next: next?.replace("*", String(rollout)) },
    title: summary,
    choices: CHOICES[phase] ?? ["promote", "abort"],
  };
}

const CHOICES: Partial<Record<string, readonly Choice[]>> = {
  Promoting: ["abort"],
  Healthy: [],
};

/** By phase; `*` is the rollout. */
const CHANGES: Partial<Record<string, Pick<Effect, "tone" | "now" | "next">>> =
  {
    Paused: {
      tone: "warning",
      now: "The canary keeps its share of the requests.",
      next: "Rollout * waits until a person promotes it (serin rollout promote) or aborts it.",
    },
    Promoting: {
      tone: "good",
      now: "The canary keeps its share of the requests, and prod runs the release before.",
      next: "Rollout * waits until prod gets the release: serin release does it, or the playbook. It is aborted if no prod host changes for 30 min.",
    },
    Healthy: {
      tone: "good",
      now: "All requests are answered by the release, on prod and on the canary.",
      next: undefined,
    },
  };

function describeOccurrence(
  { kind, data }: LedgerEvent,
  summary: string,
  withoutFeature: string | undefined,
): Effect {
  const mayCallForStop = MAY_CALL_FOR_STOP.has(kind) && data.alert !== "test";
  return {
    tone: kind === "recovery" ? "good" : "warning",
    title: `${kind}: ${summary}`,
    now:
      kind === "flip"
        ? "The event does not say which way: see the dashboard."
        : `Nothing was switched: the flag stays as it is.${withoutFeature === undefined ? "" : ` Prod answers ${withoutFeature}.`}`,
    next: undefined,
    choices: mayCallForStop ? ["stop"] : [],
  };
}

/** The end of the title; empty after a recovery. */
function describeCause({ by, reason }: LedgerEvent, data: KnownData): string {
  if (data.rule === "recovery") return "";
  const brief = data.brief ?? reason.replace(/^(the )?canary /, "");
  return by === "monitor" || by === "proxy"
    ? `: ${brief}`
    : ` by ${by}: ${reason}`;
}

function nextWhileOff(
  by: string,
  { rule, latched, nextTryAt, rollout }: KnownData,
): string {
  if (rollout !== undefined)
    return `Rollout ${rollout} is aborted. It stays out until a person retries it (serin rollout retry), or a newer one starts.`;
  if (by !== "monitor" && by !== "proxy")
    return "It stays off until a person lets it in: the monitor undoes only its own stops.";
  if (latched === true)
    return "It is latched: it stays off until a person lets it in.";
  if (nextTryAt !== undefined)
    return `The monitor lets it in again at ${formatTime(nextTryAt)}, if it is healthy then.`;
  return rule === "latency"
    ? "It stays off until a person lets it in."
    : "This version stays off until a person lets it in. The monitor lets in another version by itself, once its probes were healthy for the cool-down.";
}

function nextWhileOn(by: string): string {
  return by === "monitor"
    ? "If it goes bad again, it is stopped again, and the wait before the next try is longer."
    : "The monitor keeps watching it.";
}
