import { expect } from "chai";
import { composeMail } from "../../../apps/monitor/alert/message/compose.js";
import { createTransport } from "../../../apps/monitor/alert/channels/create-channels.js";
import {
  LATENCY_REPORT,
  MAIL_SETTINGS,
} from "../../support/alert/alert-event.js";
import { createMemoryLogger } from "../../support/logger.js";

describe("the log transport", () => {
  it("writes the mail as readable text", async () => {
    const logger = createMemoryLogger();
    const { from, to } = MAIL_SETTINGS;
    const transport = createTransport({ transport: "log", from, to }, logger);
    const mail = composeMail(LATENCY_REPORT, MAIL_SETTINGS);
    await transport.send(mail);
    transport.close();
    const { subject, text, messageId } = mail;
    expect(logger.lines).to.deep.equal([
      {
        level: "info",
        message: subject,
        data: { mail: { from, to, subject, text, messageId } },
      },
    ]);
  });
});
