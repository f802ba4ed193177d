import type { Logger } from "../../../../lib/program/log.js";
import type { MailTransport } from "./channel.js";

/** Writes mails to the program's log, where there is no mail server. */
export function createLogTransport(logger: Logger): MailTransport {
  return {
    send: ({ from, to, subject, text, messageId }) => {
      logger.info({ mail: { from, to, subject, text, messageId } }, subject);
      return Promise.resolve();
    },
    close: () => undefined,
  };
}
