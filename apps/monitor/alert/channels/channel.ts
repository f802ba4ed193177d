import type { LedgerEvent } from "../../../../lib/flag/ledger.js";

/** A way to reach people. */
interface Sender<Message> {
  /**
   * Resolves when the receiver has accepted the message. Gives up within 30 seconds.
   *
   * @throws RefusedError when the receiver rejects this message; Error in all other cases. Both are logged and shown, so
   * they hold no secrets.
   */
  send: (message: Message) => Promise<void>;
  /** Ends sends in flight. May be called twice. */
  close: () => void;
}

export type ChannelName = "mail" | "webhook";

/** Delivers alerts. */
export interface Channel extends Sender<LedgerEvent> {
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
  headers: Record<string, string>;
}

export type MailTransport = Sender<Mail>;

/** The receiver rejected the message, and would most likely reject it again. */
export class RefusedError extends Error {}
