import type {
  Mail,
  MailTransport,
} from "../../../apps/monitor/alert/channels/channel.js";

/** Stores accepted mails; `onSend` may throw to reject a mail, or delay it. */
export class FakeTransport implements MailTransport {
  readonly taken: Mail[] = [];
  attempts = 0;
  onSend: (mail: Mail) => Promise<void> | void = () => undefined;

  get subjects(): string[] {
    return this.taken.map(({ subject }) => subject);
  }

  async send(mail: Mail): Promise<void> {
    this.attempts += 1;
    await this.onSend(mail);
    this.taken.push(mail);
  }

  /** Blocks sends until the returned function is called. */
  hold(): () => void {
    let take: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (take = resolve));
    this.onSend = () => held;
    return take;
  }

  close(): void {
    this.onSend = refuse;
  }
}

export function refuse(): never {
  throw new Error("the mail server is down");
}
