import type { LedgerEvent } from "../../../../lib/flag/ledger.js";
import type { Keys } from "../../../../lib/redis/keys.js";
import { oneLine, shortLine } from "../../../../lib/wording/plain-text.js";
import type { ActionLinks } from "./action-link.js";
import { describeGroup } from "./alert-group.js";
import { listBars } from "./bars.js";
import { describeChange, linkChange } from "./change.js";
import { CHOICE_LABELS, describeEffect, type Choice } from "./effect.js";
import {
  formatTime,
  listFigures,
  type Figure,
} from "../../../../lib/wording/figures.js";
import { describeMet } from "./harm.js";
import { readKnownData } from "./known-data.js";
import type { Report } from "./report.js";

const MAX_REASON_CHARACTERS = 2000;
const MAX_REASONS = 50;

/** The content of a message, before it becomes text or HTML. */
export type Notice = ReturnType<typeof createNotice>;

export interface NoticeSettings {
  keys: Keys;
  /** What is watched, such as `shop prod`. */
  system: string;
  /** How people run serin. */
  command: string;
  /** For events that do not say which flag they concern. */
  flagName: string;
  /** Without a slash at the end. */
  dashboardUrl: string;
  /** A template, see `linkChange`. */
  commitUrl: string | undefined;
  /** Undefined if messages have no links that do something. */
  links: ActionLinks | undefined;
}

export interface Action {
  label: string;
  url: string;
}

/** An answer to what a person wants to know first. */
export interface Answer extends Figure {
  /** A page about it. */
  url?: string | undefined;
}

/** Shown in the sentences and bars, so not among the facts. */
const TOLD = new Set([
  ...["flag", "value", "rule", "brief", "direct", "nextTryAt", "latched"],
  ...["version", "prodVersion", "requests", "slow", "waiting", "failed"],
  ...["canaryBeforeMs", "canaryLatencyMs", "prodLatencyMs", "canaryRequests"],
]);

/** By sudo they run where the monitor does. */
export function titleCommands(commands: readonly string[]): string {
  const isLocal = commands.every((command) => command.startsWith("sudo "));
  return isLocal ? "On the edge host:" : "In a terminal:";
}

/** Never throws, whatever the event's data holds. */
export function createNotice(report: Report, settings: NoticeSettings) {
  const { event, others, background } = report;
  const known = readKnownData(event.data);
  const { version = background.version, prodVersion = background.prodVersion } =
    known;
  const { withoutFeature } = background;
  const data = { ...known, version, prodVersion, withoutFeature };
  const events = [event, ...others];
  const effect = describeEffect(event, data, describeGroup(events));
  const { tone, title, now, next, choices } = effect;
  const happened = events
    .slice(0, MAX_REASONS)
    .map(({ reason }) => shortLine(reason, MAX_REASON_CHARACTERS))
    .filter((reason) => !oneLine(title).includes(reason));
  const untold = events.length - MAX_REASONS;
  if (untold > 0) happened.push(`and ${untold} more`);
  const change = {
    label: "Change",
    value: describeChange(version, background.change, event.at),
    url: linkChange(settings.commitUrl, background.change),
  };
  return {
    tone,
    title: oneLine(title),
    /** Sentences; empty if the title says it already. */
    happened,
    /** Measurements and their limits on one scale; empty if nothing compares. */
    bars: others.length === 0 ? listBars(data) : [],
    answers: [
      { label: "Users now", value: now },
      { label: "Harm", value: describeMet(data, background.harm) },
      ...(event.kind === "flip" ? [change] : []),
      { label: "Next", value: next },
    ].filter(isKnown),
    actions: [
      ...signActions(choices, event.id, settings),
      {
        label: "Open the page at that moment",
        url: `${settings.dashboardUrl}/events/${event.id}`,
      },
    ],
    /** Further tables, for a page. */
    details: [] as { title: string; rows: Figure[] }[],
    /** None of them lets the canary in. */
    commands: [
      ...(event.kind === "flip" ? [`${settings.command} why`] : []),
      ...(choices.includes("abort")
        ? [`${settings.command} rollout abort --reason "…"`]
        : []),
      ...(choices.includes("stop")
        ? [`${settings.command} flag off --reason "…"`]
        : []),
      ...(choices.includes("keep")
        ? [`${settings.command} flag off --reason "keep it stopped"`]
        : []),
    ],
    facts: [
      ...(others.length === 0 ? listFigures(event.data, TOLD) : []),
      { label: "by", value: describeAuthor(event, data.rule) },
      { label: "at", value: formatTime(event.at) },
      { label: "event", value: oneLine(event.id) },
    ],
  };
}

function signActions(
  choices: readonly Choice[],
  event: string,
  { links, dashboardUrl }: NoticeSettings,
): Action[] {
  if (links === undefined) return [];
  return choices.map((choice) => ({
    label: CHOICE_LABELS[choice],
    url: `${dashboardUrl}/${links.sign({ choice, event })}`,
  }));
}

function describeAuthor({ by }: LedgerEvent, rule: string | undefined): string {
  return oneLine(rule === undefined ? by : `${by} (${rule} rule)`);
}

function isKnown(answer: {
  label: string;
  value: string | undefined;
  url?: string | undefined;
}): answer is Answer {
  return answer.value !== undefined;
}
