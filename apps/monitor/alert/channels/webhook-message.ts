import type { LedgerEvent } from "../../../../lib/flag/ledger.js";
import { oneLine } from "../../../../lib/wording/plain-text.js";
import { readKnownData } from "../message/known-data.js";
import { createNotice, type NoticeSettings } from "../message/notice.js";

/**
 * The body of a webhook request. Fields may be added, but not renamed. Deterministic; never throws, whatever the event's
 * data holds.
 */
export function composeWebhookMessage(
  event: LedgerEvent,
  settings: NoticeSettings,
) {
  const notice = createNotice(event, settings);
  const { flag = settings.flagName, value } = readKnownData(event.data);
  const { kind, by, reason, at, data } = event;
  const { title, happened, next, dashboardUrl } = notice;
  const sentences = [happened, next].filter((part) => part !== undefined);
  return {
    /** The text that Slack, Mattermost and compatible programs show, in Slack's markup. */
    text: `*${escapeSlack(title)}*\n${escapeSlack(sentences.join("\n"))}\n<${dashboardUrl}|dashboard>`,
    title,
    /** The event's id with the key prefix, the same at each retry. */
    event: `${settings.keys.prefix}${event.id}`,
    kind,
    flag,
    /** The flag's new value; null if this is no flip. */
    value: kind === "flip" ? (value ?? null) : null,
    by: oneLine(by),
    reason: oneLine(reason),
    at,
    data,
    dashboard: dashboardUrl,
  };
}

/** Slack's escapes, which also keep `<!channel>` in a reason from notifying everyone. */
function escapeSlack(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}
