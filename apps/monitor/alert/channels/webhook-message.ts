import { oneLine } from "../../../../lib/wording/plain-text.js";
import { readKnownData } from "../message/known-data.js";
import { createNotice, type NoticeSettings } from "../message/notice.js";
import type { Report } from "../message/report.js";

/**
 * The body of a webhook request. Fields may be added, but not renamed. Deterministic; never throws, whatever the event's
 * data holds.
 */
export function composeWebhookMessage(
  report: Report,
  settings: NoticeSettings,
) {
  const { event, background } = report;
  const { keys, system, flagName, dashboardUrl } = settings;
  const notice = createNotice(report, settings);
  const known = readKnownData(event.data);
  const { kind, by, reason, at, data } = event;
  const subject = `[${system}] ${notice.title}`;
  const sentences = [
    ...notice.happened,
    ...notice.answers.map(({ label, value }) => `${label}: ${value}`),
  ];
  const links = notice.actions.map(({ label, url }) => `<${url}|${label}>`);
  return {
    /** The text that Slack, Mattermost and compatible programs show, in Slack's markup. */
    text: `*${escapeSlack(subject)}*\n${escapeSlack(sentences.join("\n"))}\n${links.join(" · ")}`,
    title: notice.title,
    system,
    /** The event's id with the key prefix, the same at each retry. */
    event: `${keys.prefix}${event.id}`,
    kind,
    flag: known.flag ?? flagName,
    /** The flag's new value; null if this is no flip. */
    value: kind === "flip" ? (known.value ?? null) : null,
    /** What the canary runs; null if unknown. */
    version: known.version ?? background.version ?? null,
    by: oneLine(by),
    reason: oneLine(reason),
    at,
    data,
    /** Further alerts of the same kind. */
    others: report.others.map((other) => ({
      event: `${keys.prefix}${other.id}`,
      reason: oneLine(other.reason),
      data: other.data,
    })),
    actions: notice.actions,
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
