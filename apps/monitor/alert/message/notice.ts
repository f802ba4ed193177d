import type { LedgerEvent } from "../../../../lib/flag/ledger.js";
import { listBars, type Bar } from "./bars.js";
import { formatUtc, listFigures, type Figure } from "./figures.js";
import { readKnownData } from "./known-data.js";
import { oneLine, shortLine } from "../../../../lib/wording/plain-text.js";
import { describeRemedy, type Remedy, type RemedySettings } from "./remedy.js";
import { describeEffect, type Effect } from "./effect.js";

const MAX_REASON_CHARACTERS = 2000;

/** The content of a message about an event, before it becomes text or HTML. */
export interface Notice {
  tone: Effect["tone"];
  /** One line. */
  title: string;
  /** A sentence; undefined when the title says it already. */
  happened: string | undefined;
  /** Measurements and their limits on one scale; empty if nothing compares. */
  bars: Bar[];
  /** Sentences. */
  next: string;
  /** Undefined when there is nothing to change. */
  remedy: Remedy | undefined;
  facts: Figure[];
  dashboardUrl: string;
}

export interface NoticeSettings extends RemedySettings {
  /** For events that do not say which flag they concern. */
  flagName: string;
  dashboardUrl: string;
}

/** Shown in the sentences and bars, so not among the facts. */
const TOLD = new Set([
  "canaryBeforeMs",
  "canaryLatencyMs",
  "prodLatencyMs",
  "flag",
  "value",
  "rule",
  "direct",
  "nextTryAt",
  "latched",
]);

/** Never throws, whatever the event's data holds. */
export function createNotice(
  event: LedgerEvent,
  settings: NoticeSettings,
): Notice {
  const data = readKnownData(event.data);
  const flag = data.flag ?? settings.flagName;
  const { tone, title, next, switchTo } = describeEffect(event, {
    ...data,
    flag,
  });
  const happened = shortLine(event.reason, MAX_REASON_CHARACTERS);
  return {
    tone,
    title: oneLine(title),
    happened: oneLine(title).includes(happened) ? undefined : happened,
    bars: listBars(data),
    next,
    remedy:
      switchTo === undefined
        ? undefined
        : describeRemedy(switchTo, flag, settings),
    facts: [
      ...listFigures(event.data, TOLD),
      { label: "by", value: describeAuthor(event.by, data.rule) },
      { label: "at", value: formatUtc(event.at) },
      { label: "event", value: oneLine(event.id) },
    ],
    dashboardUrl: settings.dashboardUrl,
  };
}

function describeAuthor(by: string, rule: string | undefined): string {
  return oneLine(rule === undefined ? by : `${by} (${rule} rule)`);
}
