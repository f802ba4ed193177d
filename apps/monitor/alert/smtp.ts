import { createTransport } from "nodemailer";
import type { Logger } from "../../../lib/log.js";
import type { MailTransport } from "./transport.js";

const CONNECT_TIMEOUT_MS = 5000;
/** Longer than connecting: a server may look through a mail before it takes it, and giving up then would double it. */
const SILENCE_TIMEOUT_MS = 20_000;
/** A server that answers each step just in time must not hold the courier either. */
const SEND_DEADLINE_MS = 30_000;

/** `url` says host, port, TLS and credentials, as nodemailer reads it: `smtps://user:password@host:465`. */
export function createSmtpTransport(
  url: string,
  logger: Logger,
): MailTransport {
  const closing = new AbortController();
  const transporter = createTransport({
    url,
    dnsTimeout: CONNECT_TIMEOUT_MS,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SILENCE_TIMEOUT_MS,
  });
  return {
    send: async (mail) => {
      const deadline = AbortSignal.timeout(SEND_DEADLINE_MS);
      const signal = AbortSignal.any([closing.signal, deadline]);
      const { rejected } = await transporter.sendMail({ ...mail, signal });
      // The others have their mail; to send it again for these would double it for those.
      if (rejected.length > 0)
        logger.warn({ rejected }, "the mail server refused some recipients");
    },
    close: () => {
      closing.abort();
      transporter.close();
    },
  };
}
