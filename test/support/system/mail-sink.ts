import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { simpleParser, type ParsedMail } from "mailparser";
import { SMTPServer } from "smtp-server";

/** A mail server on loopback that stores all mails while it is open. */
export class MailSink {
  readonly port: number;
  /** In order of arrival. */
  readonly mails: ParsedMail[] = [];
  #server: SMTPServer | undefined;

  constructor(port: number) {
    this.port = port;
  }

  get subjects(): (string | undefined)[] {
    return this.mails.map(({ subject }) => subject);
  }

  async open(): Promise<void> {
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ["AUTH", "STARTTLS"],
      closeTimeout: 100,
      onData: (stream, _session, callback) => {
        buffer(stream)
          .then(simpleParser)
          .then((mail) => {
            this.mails.push(mail);
            callback();
          }, callback);
      },
    });
    // A monitor that is killed during a delivery resets its connection.
    server.on("error", () => undefined);
    server.listen(this.port, "127.0.0.1");
    await once(server.server, "listening");
    this.#server = server;
  }

  /** Refuses connections until it is opened again. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}
