import { expect } from "chai";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { inspect } from "node:util";
import { buffer } from "node:stream/consumers";
import { simpleParser } from "mailparser";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { composeMail } from "../../../apps/monitor/alert/message/compose.js";
import { RefusedError } from "../../../apps/monitor/alert/channels/channel.js";
import { createTransport } from "../../../apps/monitor/alert/channels/create-channels.js";
import { createSmtpTransport } from "../../../apps/monitor/alert/channels/smtp.js";
import {
  LATENCY_REPORT,
  MAIL_SETTINGS,
} from "../../support/alert/alert-event.js";
import { createMemoryLogger } from "../../support/logger.js";
import { waitFor } from "../../support/wait-for.js";

const INCIDENT = "1772366300000-0";
const MAIL = composeMail(
  { ...LATENCY_REPORT, background: { incident: INCIDENT } },
  MAIL_SETTINGS,
);
const PASSWORD = "p@ss/word";
const IN_URL = encodeURIComponent(PASSWORD);

describe("the SMTP transport", () => {
  let server: SMTPServer | undefined;
  let received: { raw: Buffer; recipients: string[]; from: string | false }[];
  let logger: ReturnType<typeof createMemoryLogger>;

  beforeEach(() => {
    received = [];
    logger = createMemoryLogger();
  });

  afterEach(async () => {
    await new Promise<void>((resolve) =>
      server === undefined ? resolve() : server.close(() => resolve()),
    );
    server = undefined;
  });

  /** Takes mails from `serin` with the password only. @returns its host and port. */
  async function listen(options: SMTPServerOptions = {}): Promise<string> {
    server = new SMTPServer({
      logger: false,
      hideSTARTTLS: true,
      allowInsecureAuth: true,
      closeTimeout: 100,
      onAuth: ({ username, password }, _session, callback) =>
        username === "serin" && password === PASSWORD
          ? callback(null, { user: username })
          : callback(new Error("no such user or password")),
      onData: (stream, { envelope }, callback) => {
        const { mailFrom, rcptTo } = envelope;
        void buffer(stream).then((raw) => {
          received.push({
            raw,
            recipients: rcptTo.map(({ address }) => address),
            from: mailFrom && mailFrom.address,
          });
          callback();
        });
      },
      ...options,
    });
    server.on("error", () => undefined);
    server.listen(0, "127.0.0.1");
    await once(server.server, "listening");
    return `127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  }

  const send = async (smtpUrl: string): Promise<Error | undefined> => {
    const { from, to } = MAIL_SETTINGS;
    const transport = createTransport(
      { transport: "smtp", from, to, smtpUrl },
      logger,
    );
    try {
      await transport.send(MAIL);
      return undefined;
    } catch (err) {
      return err as Error;
    } finally {
      transport.close();
    }
  };

  it("logs in and sends a mail with text and HTML parts to all recipients", async () => {
    const host = await listen();
    expect(await send(`smtp://serin:${IN_URL}@${host}`)).to.equal(undefined);

    expect(received).to.have.length(1);
    const [{ raw, recipients, from }] = received as [(typeof received)[0]];
    expect(from).to.equal("serin@example.com");
    expect(recipients).to.deep.equal(["ops@example.com", "dev@example.com"]);
    const mail = await simpleParser(raw);
    expect(mail.subject).to.equal(MAIL.subject);
    expect(mail.from?.text).to.equal("serin@example.com");
    expect(mail.text).to.equal(MAIL.text);
    expect(mail.html).to.equal(MAIL.html);
    expect(mail.messageId).to.equal(MAIL.messageId);
    const first = "<serin%3a1772366300000-0@example.com>";
    expect(mail.inReplyTo).to.equal(first);
    expect(mail.references).to.deep.equal([
      first.replace("<", "<incident-"),
      first,
    ]);
    expect(mail.headers.get("x-serin-event")).to.equal("serin:1772366400000-0");
    expect(mail.headers.get("auto-submitted")).to.equal("auto-generated");
  });

  it("fails with a bad password, and never shows it", async () => {
    const host = await listen();
    const err = await send(`smtp://serin:hunter2@${host}`);
    expect(err?.message).to.equal(
      "Invalid login: 535 no such user or password",
    );
    expect(received).to.deep.equal([]);
    const base64 = Buffer.from("\u0000serin\u0000hunter2").toString("base64");
    const told = inspect([err, logger.lines], { depth: 9 });
    expect(told).to.not.include("hunter2");
    expect(told).to.not.include(base64);
  });

  it("fails without credentials when the server requires them", async () => {
    const err = await send(`smtp://${await listen()}`);
    expect(err?.message).to.match(/530/);
    expect(received).to.deep.equal([]);
  });

  it("uses TLS from the start with smtps, and rejects unverified certificates", async () => {
    const host = await listen({ secure: true });
    const url = `smtps://serin:${IN_URL}@${host}`;
    expect((await send(url))?.message).to.match(/certificate/i);
    expect(received).to.deep.equal([]);
    expect(await send(`${url}?tls.rejectUnauthorized=false`)).to.equal(
      undefined,
    );
    expect(received).to.have.length(1);
  });

  it("fails when the server refuses the mail", async () => {
    const host = await listen({
      onData: (stream, _session, callback) => {
        stream.resume();
        stream.once("end", () => callback(new Error("mailbox is full")));
      },
    });
    const err = await send(`smtp://serin:${IN_URL}@${host}`);
    expect(err?.message).to.match(/mailbox is full/);
  });

  for (const [reply, responseCode, isOfMail, stage] of [
    ["5.1.1 no such user", 550, false, "RCPT"],
    ["5.7.1 relay access denied", 554, false, "RCPT"],
    ["5.7.1 sender address rejected", 553, false, "RCPT"],
    ["5.7.1 host is on a list against spam", 554, false, "RCPT"],
    ["4.2.1 try later", 450, false, "RCPT"],
    ["5.7.0 authentication required", 530, false, "RCPT"],
    ["5.2.2 mailbox is full", 552, false, "DATA"],
    ["5.7.1 blocked using spamhaus", 554, false, "DATA"],
    ["5.3.4 message size exceeds the limit", 552, true, "RCPT"],
    ["5.6.0 malformed message", 554, true, "DATA"],
    ["5.7.1 rejected as spam", 550, true, "DATA"],
  ] as const)
    it(`${isOfMail ? "is refused" : "waits"} when the server answers ${stage} with ${responseCode} ${reply}`, async () => {
      const refusal = Object.assign(new Error(reply), { responseCode });
      const host = await listen(
        stage === "RCPT"
          ? { onRcptTo: (_address, _session, callback) => callback(refusal) }
          : {
              onData: (stream, _session, callback) => {
                stream.resume().once("end", () => callback(refusal));
              },
            },
      );
      const err = await send(`smtp://serin:${IN_URL}@${host}`);
      expect(err).to.be.instanceOf(Error);
      expect(err instanceof RefusedError).to.equal(isOfMail);
    });

  it("succeeds when the server accepts some recipients, and logs the others", async () => {
    const host = await listen({
      onRcptTo: ({ address }, _session, callback) =>
        address.startsWith("dev")
          ? callback(new Error("no such user"))
          : callback(),
    });
    expect(await send(`smtp://serin:${IN_URL}@${host}`)).to.equal(undefined);
    expect(received[0]!.recipients).to.deep.equal(["ops@example.com"]);
    expect(logger.lines).to.deep.equal([
      {
        level: "warn",
        message: "the mail server refused some recipients",
        data: { rejected: ["dev@example.com"] },
      },
    ]);
  });

  it("ends a send in flight when closed", async () => {
    const silent = createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    const transport = createSmtpTransport(`smtp://127.0.0.1:${port}`, logger);
    let connections = 0;
    silent.on("connection", (socket) => {
      connections += 1;
      socket.on("error", () => undefined);
      socket.resume();
    });
    const outcome = transport.send(MAIL).then(
      () => "taken",
      (err: unknown) => (err as NodeJS.ErrnoException).code,
    );
    await waitFor("the connection", () => connections === 1);
    transport.close();
    expect(await outcome).to.equal("EABORT");
    silent.close();
  });
});
