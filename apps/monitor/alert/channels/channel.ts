import type { Report } from "../message/report.js";

/** A way to reach people. */
interface Sender<Message> {
  /**
   * Resolves when the receiver has accepted the message. Gives up within 30 seconds.
   *
   * @throws RefusedError when the receiver rejects this message, BusyError when it asks for a pause, Error in all other
   * cases. They are logged and shown, so they hold no secrets.
   */
  send: (message: Message) => Promise<void>;
  /** Ends sends in flight. May be called twice. */
  close: () => void;
}

export type ChannelName = "mail" | "webhook";

/** Delivers alerts. */
export interface Channel extends Sender<Report> {
  readonly name: ChannelName;
}

/** A complete message: a transport adds only the envelope and the encoding. */
export interface Mail {
  /** A bare address, as are those of `to`. */
  from: string;
  to: string[];
  subject: string;
  text: string;
  html: string;
  /** The same for the same event, to recognise a mail that was sent twice. */
  messageId: string;
  /** Message ids; the mails of an incident have the first of them in common, which makes them one thread. */
  references: string[];
  inReplyTo?: string;
  headers: Record<string, string>;
}

export type MailTransport = Sender<Mail>;

/**
 * The receiver rejected the message itself, and would reject it again. The state of an account, a mailbox, a setting or a
 * server is another error, which people can fix: the message waits for that.
 */
export class RefusedError extends Error {}

/** The receiver asks for a pause. */
export class BusyError extends Error {
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

/** What mail servers say of a message itself: its size, form or content, also as enhanced status codes (RFC 3463). */
const MESSAGE_FAULT =
  /\b5\.(2\.3|3\.4|6\.\d+)\b|too (large|big|long)|message (size|length)|size limit|maximum .*(size|length)|malformed|line length|\bspam\b|virus|content/i;

export function concernsMessage(reply: string): boolean {
  return MESSAGE_FAULT.test(reply);
}
