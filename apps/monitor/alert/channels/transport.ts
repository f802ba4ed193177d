/** One message, complete: a transport adds nothing but the envelope and the encoding. */
export interface Mail {
  /** A bare address, as are those of `to`. */
  from: string;
  to: string[];
  subject: string;
  text: string;
  html: string;
  /** The same for the same event, so that a mail sent twice can be recognised. */
  messageId: string;
  headers: Record<string, string>;
}

export interface MailTransport {
  /**
   * Resolves when the mail is in others' hands. Gives up within half a minute.
   *
   * @throws RefusedError when the server will not take this mail; Error in all other cases. No message holds a secret: it
   * may be logged and shown.
   */
  send: (mail: Mail) => Promise<void>;
  /** Ends sends in flight. May be called twice. */
  close: () => void;
}
