import { createTransport } from "nodemailer";
import type { Logger } from "../../../../lib/program/log.js";
import { RefusedError } from "./channel.js";
import type { MailTransport } from "./transport.js";

const CONNECT_TIMEOUT_MS = 5000;
/** Longer than connecting: a server may look through a mail before it takes it, and giving up then would double it. */
const SILENCE_TIMEOUT_MS = 20_000;
/** "Authentication required" and its kin (RFC 4954, section 6), which some servers say only to a mail's sender. */
const LOGIN_REPLIES = new Set([530, 534, 535, 538]);
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
      const { rejected } = await transporter
        .sendMail({ ...mail, signal })
        .catch((err: unknown) => {
          throw isRefusal(err) ? new RefusedError(err.message) : err;
        });
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

/** What the server has against this mail; a log-in that it refuses can be mended, and mails wait. */
function isRefusal(err: unknown): err is Error {
  if (!(err instanceof Error)) return false;
  const { code, responseCode } = err as Error & {
    code?: string;
    responseCode?: number;
  };
  const concernsMail = code === "EENVELOPE" || code === "EMESSAGE";
  const isForGood = responseCode !== undefined && responseCode >= 500;
  return concernsMail && isForGood && !LOGIN_REPLIES.has(responseCode);
}
