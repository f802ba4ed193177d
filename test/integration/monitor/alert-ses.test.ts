import { expect } from "chai";
import { simpleParser } from "mailparser";
import { RefusedError } from "../../../apps/monitor/alert/channels/channel.js";
import { composeMail } from "../../../apps/monitor/alert/message/compose.js";
import { createTransport } from "../../../apps/monitor/alert/channels/create-channels.js";
import { createSesTransport } from "../../../apps/monitor/alert/channels/ses.js";
import {
  LATENCY_REPORT,
  MAIL_SETTINGS,
} from "../../support/alert/alert-event.js";
import { provideAwsCredentials } from "../../support/alert/aws-credentials.js";
import { createMemoryLogger } from "../../support/logger.js";
import { startSesEmulator } from "../../support/alert/ses-emulator.js";
import {
  errorXml,
  startSesStub,
  type SesRequest,
  type SesStub,
} from "../../support/alert/ses-stub.js";
import { waitFor } from "../../support/wait-for.js";

const MAIL = composeMail(LATENCY_REPORT, MAIL_SETTINGS);

describe("the SES transport", () => {
  provideAwsCredentials();

  it("sends a mail with text and HTML parts to all recipients", async () => {
    const emulator = await startSesEmulator();
    const { from, to } = MAIL_SETTINGS;
    const transport = createTransport(
      {
        transport: "ses",
        from,
        to,
        awsRegion: "eu-central-1",
        sesEndpoint: emulator.endpoint,
      },
      createMemoryLogger(),
    );
    try {
      await transport.send(MAIL);
      const [mail, ...others] = await emulator.mails();
      expect(others).to.deep.equal([]);
      expect(mail).to.deep.include({
        from: "serin@example.com",
        subject: "[shop prod] 0.2.0 stopped: p95 1,012 ms > 500 ms",
      });
      expect(mail!.destination).to.deep.equal({
        to: ["ops@example.com, dev@example.com"],
        cc: [],
        bcc: [],
      });
      expect(mail!.body.text).to.equal(MAIL.text);
      expect(mail!.body.html).to.equal(MAIL.html);
    } finally {
      transport.close();
      await emulator.stop();
    }
  });

  describe("when SES fails", () => {
    let ses: SesStub;

    beforeEach(async () => {
      ses = await startSesStub();
    });

    afterEach(async () => {
      await ses.close();
    });

    const open = (requestTimeoutMs = 5000) =>
      createSesTransport({
        region: "eu-central-1",
        endpoint: ses.endpoint,
        requestTimeoutMs,
      });

    const failureOf = (sending: Promise<void>): Promise<Error> =>
      sending.then(
        () => expect.fail("the mail was taken"),
        (err: unknown) => err as Error,
      );

    it("sends one request with the right envelope and headers", async () => {
      const transport = open();
      await transport.send(MAIL);
      transport.close();
      expect(ses.requests).to.have.length(1);
      const [{ source, destinations, raw }] = ses.requests as [SesRequest];
      expect(source).to.equal("serin@example.com");
      expect(destinations).to.deep.equal([
        "ops@example.com",
        "dev@example.com",
      ]);
      const { headers, messageId } = await simpleParser(raw);
      expect(messageId).to.equal("<serin%3a1772366400000-0@example.com>");
      expect(headers.get("x-serin-event")).to.equal("serin:1772366400000-0");
      expect(headers.get("auto-submitted")).to.equal("auto-generated");
      expect(headers.get("content-type")).to.deep.include({
        value: "multipart/alternative",
      });
    });

    it("does not retry", async () => {
      ses.answers.push("throttle", "fail");
      const transport = open();
      const throttled = await failureOf(transport.send(MAIL));
      expect(throttled.message).to.equal(
        "SES: Throttling: Maximum sending rate exceeded.",
      );
      const failed = await failureOf(transport.send(MAIL));
      expect(failed.message).to.equal("SES: InternalFailure: Try again.");
      transport.close();
      expect(ses.requests).to.have.length(2);
    });

    for (const [code, message, isOfMail] of [
      ["MessageRejected", "Email address is not verified.", false],
      ["MessageRejected", "Sending paused for this account.", false],
      ["MessageRejected", "Sending suspended for this account.", false],
      ["Throttling", "Maximum sending rate exceeded.", false],
      ["InvalidClientTokenId", "The security token is invalid.", false],
      ["AccountSendingPausedException", "Sending is disabled.", false],
      ["MessageRejected", "Message length is more than 10485760 bytes", true],
      ["MessageRejected", "Message contains a virus.", true],
      ["InvalidParameterValue", "Local address contains control", true],
    ] as const)
      it(`${isOfMail ? "is refused" : "waits"} when SES says ${code}: ${message}`, async () => {
        ses.answers.push([400, errorXml("Sender", code, message)]);
        const transport = open();
        const err = await failureOf(transport.send(MAIL));
        transport.close();
        expect(err instanceof RefusedError).to.equal(isOfMail);
        expect(err.message).to.equal(`SES: ${code}: ${message}`);
      });

    it("sends lines that end with CRLF, and no other line breaks", async () => {
      const transport = open();
      await transport.send({ ...MAIL, text: "a\nb\r\nc" });
      transport.close();
      expect(ses.requests[0]!.raw).to.not.match(/(?<!\r)\n|\r(?!\n)/);
    });

    it("gives up when SES does not answer", async () => {
      ses.answers.push("hang");
      const transport = open(50);
      const { message } = await failureOf(transport.send(MAIL));
      expect(message).to.match(/^SES: TimeoutError: .*50 ms requestTimeout/);
      transport.close();
    });

    it("ends a request in flight when closed", async () => {
      ses.answers.push("hang");
      const transport = open(600_000);
      const failed = failureOf(transport.send(MAIL));
      await waitFor("the request", () => ses.requests.length === 1);
      transport.close();
      expect((await failed).message).to.match(/^SES: /);
    });

    it("reports an endpoint that refuses connections", async () => {
      const transport = open();
      await ses.close();
      const { message } = await failureOf(transport.send(MAIL));
      expect(message).to.match(/^SES: .*ECONNREFUSED/);
      transport.close();
      ses = await startSesStub();
    });

    it("keeps credentials out of its errors", async () => {
      ses.answers.push("refuse");
      const transport = open();
      const err = await failureOf(transport.send(MAIL));
      transport.close();
      expect(err.message).to.equal(
        "SES: SignatureDoesNotMatch: The request signature does not match.",
      );
      expect(Object.keys(err)).to.deep.equal([]);
      expect(err.stack).to.not.match(/stub-session-token|serin-test/);
    });
  });
});
