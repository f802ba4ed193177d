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

export interface MailTransport {
  /**
   * Resolves when the server has accepted the mail. Gives up within 30 seconds.
   *
   * @throws RefusedError when the server rejects this mail; Error in all other cases. Messages hold no secrets, because
   * they are logged and shown.
   */
  send: (mail: Mail) => Promise<void>;
  /** Ends sends in flight. May be called twice. */
  close: () => void;
}
