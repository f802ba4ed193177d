import { createTransport } from "nodemailer";
import type { Logger } from "../../../../lib/program/log.js";
import {
  concernsMessage,
  RefusedError,
  type MailTransport,
} from "./channel.js";

const CONNECT_TIMEOUT_MS = 5000;
/** Longer than connecting: a server may scan a mail before it accepts it, and a retry would send the mail twice. */
const SILENCE_TIMEOUT_MS = 20_000;
const TOO_LARGE = /\b5\.(2\.3|3\.4)\b|too (large|big)|message size/i;
/** Limits a server that answers each step just in time. */
const SEND_DEADLINE_MS = 30_000;

/** `url` holds host, port, TLS and credentials, as nodemailer reads them: `smtps://user:password@host:465`. */
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
      const { rejected } = await transporter
        .sendMail({ ...mail, signal })
        .catch((err: unknown) => {
          throw isRefusal(err) ? new RefusedError(err.message) : err;
        });
      // Sending it again for them would send it twice to the others.
      if (rejected.length > 0)
        logger.warn({ rejected }, "the mail server refused some recipients");
    },
    close: () => {
      closing.abort();
      transporter.close();
    },
  };
}

/** Whether the server rejects this mail, for good. A log-in, a relay, a mailbox or a blocked host can be fixed. */
function isRefusal(err: unknown): err is Error {
  if (!(err instanceof Error)) return false;
  const { code, responseCode = 0 } = err as Error & {
    code?: string;
    responseCode?: number;
  };
  if (responseCode < 500) return false;
  // Before the mail itself, the server can know only its size.
  return code === "EMESSAGE"
    ? concernsMessage(err.message)
    : code === "EENVELOPE" && TOO_LARGE.test(err.message);
}
