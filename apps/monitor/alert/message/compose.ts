import { createNotice, type NoticeSettings } from "./notice.js";
import type { Report } from "./report.js";
import { oneLine, shortLine } from "../../../../lib/wording/plain-text.js";
import { renderHtml } from "./render-html.js";
import { renderText } from "./render-text.js";
import type { Mail } from "../channels/channel.js";

const MAX_SUBJECT_CHARACTERS = 120;

export interface MailSettings extends NoticeSettings {
  from: string;
  to: string[];
}

/** Deterministic. Never throws, whatever the event's data holds. */
export function composeMail(report: Report, settings: MailSettings): Mail {
  const notice = createNotice(report, settings);
  const { from, to, keys, system } = settings;
  const { event, background } = report;
  const nameEvent = (id: string) => toMessageId(`${keys.prefix}${id}`, from);
  const { incident } = background;
  const first = nameEvent(incident ?? event.id);
  return {
    from,
    to,
    subject: shortLine(`[${system}] ${notice.title}`, MAX_SUBJECT_CHARACTERS),
    text: renderText(notice),
    html: renderHtml(notice),
    messageId: nameEvent(event.id),
    // Amazon SES replaces the first mail's id, so all mails also refer to one that no mail has.
    references: [
      first.replace("<", "<incident-"),
      ...(incident === undefined ? [] : [first]),
    ],
    ...(incident !== undefined && { inReplyTo: first }),
    headers: {
      // Prevents out-of-office replies (RFC 3834).
      "Auto-Submitted": "auto-generated",
      // Amazon SES replaces the Message-ID by its own.
      "X-Serin-Event": oneLine(`${keys.prefix}${event.id}`),
    },
  };
}

/** Percent-encodes what RFC 5322 does not allow before the @, so that different names stay different. */
function toMessageId(name: string, from: string): string {
  const local = name.replace(
    /[^\w-]/gu,
    (character) => `%${(character.codePointAt(0) ?? 0).toString(16)}`,
  );
  return `<${local}@${from.slice(from.lastIndexOf("@") + 1)}>`;
}
