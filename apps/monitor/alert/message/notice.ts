import type { LedgerEvent } from "../../../../lib/flag/ledger.js";
import { listBars } from "./bars.js";
import { formatUtc, listFigures } from "./figures.js";
import { readKnownData } from "./known-data.js";
import { oneLine, shortLine } from "../../../../lib/wording/plain-text.js";
import { describeRemedy, type RemedySettings } from "./remedy.js";
import { describeEffect } from "./effect.js";

const MAX_REASON_CHARACTERS = 2000;

/** The content of a message about an event, before it becomes text or HTML. */
export type Notice = ReturnType<typeof createNotice>;

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
export function createNotice(event: LedgerEvent, settings: NoticeSettings) {
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
    /** A sentence; undefined when the title says it already. */
    happened: oneLine(title).includes(happened) ? undefined : happened,
    /** Measurements and their limits on one scale; empty if nothing compares. */
    bars: listBars(data),
    next,
    /** Undefined when there is nothing to change. */
    remedy:
      switchTo === undefined
        ? undefined
        : describeRemedy(switchTo, flag, settings),
    facts: [
      ...listFigures(event.data, TOLD),
      {
        label: "by",
        value: oneLine(
          data.rule === undefined
            ? event.by
            : `${event.by} (${data.rule} rule)`,
        ),
      },
      { label: "at", value: formatUtc(event.at) },
      { label: "event", value: oneLine(event.id) },
    ],
    dashboardUrl: settings.dashboardUrl,
  };
}
