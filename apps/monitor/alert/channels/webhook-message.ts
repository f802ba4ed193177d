import type { LedgerEvent } from "../../../../lib/flag/ledger.js";
import { readKnownData } from "../message/known-data.js";
import { createNotice, type NoticeSettings } from "../message/notice.js";

/** What a webhook is sent. Fields may be added, none renamed. */
export interface WebhookMessage {
  /** What Slack, Mattermost and others that take Slack's format show; in Slack's markup. */
  text: string;
  title: string;
  /** The event's id in this system: the same when it is sent again. */
  event: string;
  kind: LedgerEvent["kind"];
  flag: string;
  /** What the flag has become; null when it has not been flipped. */
  value: boolean | null;
  by: string;
  reason: string;
  /** ISO 8601, UTC. */
  at: string;
  data: LedgerEvent["data"];
  /** Where to look and act. */
  dashboard: string;
}

/** The same whenever it is composed. Never throws, whatever the event's data holds. */
export function composeWebhookMessage(
  event: LedgerEvent,
  settings: NoticeSettings,
): WebhookMessage {
  const notice = createNotice(event, settings);
  const { flag = settings.flagName, value } = readKnownData(event.data);
  const { kind, by, reason, at, data } = event;
  const { title, happened, next, dashboardUrl } = notice;
  const sentences = [happened, next].filter((part) => part !== undefined);
  return {
    text: `*${escapeSlack(title)}*\n${escapeSlack(sentences.join("\n"))}\n<${dashboardUrl}|dashboard>`,
    title,
    event: `${settings.keys.prefix}${event.id}`,
    kind,
    flag,
    value: kind === "flip" ? (value ?? null) : null,
    by,
    reason,
    at,
    data,
    dashboard: dashboardUrl,
  };
}

/** As Slack asks for it; it also keeps a reason from calling for everybody by `<!channel>`. */
function escapeSlack(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}
