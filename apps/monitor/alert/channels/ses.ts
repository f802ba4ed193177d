import { SESClient, SendRawEmailCommand } from "@aws-sdk/client-ses";
import MailComposer from "nodemailer/lib/mail-composer";
import { RefusedError } from "./channel.js";
import type { MailTransport } from "./transport.js";

const CONNECTION_TIMEOUT_MS = 5000;
const REQUEST_TIMEOUT_MS = 15_000;
/** What SES has against a mail. What it has against the sender's account or credentials can be mended, and mails wait. */
const REFUSALS = new Set(["MessageRejected", "InvalidParameterValue"]);

/** Credentials come from the SDK's default chain: environment, shared files, the instance's role. */
export function createSesTransport(options: {
  region: string;
  /** Undefined: Amazon's own for the region. */
  endpoint: string | undefined;
  requestTimeoutMs?: number;
}): MailTransport {
  const { region, endpoint, requestTimeoutMs } = options;
  const client = new SESClient({
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    // The courier retries, and keeps the order.
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  });
  return {
    send: async (mail) => {
      const raw = await new MailComposer(mail).compile().build();
      const command = new SendRawEmailCommand({
        Source: mail.from,
        Destinations: mail.to,
        RawMessage: { Data: raw },
      });
      await client.send(command).catch((err: unknown) => {
        throw withoutSecrets(err);
      });
    },
    close: () => client.destroy(),
  };
}

/** Of a bad signature SES says what it should have been made of, session token included: after the first line. */
function withoutSecrets(err: unknown): Error {
  const { name, message } = err instanceof Error ? err : new Error(String(err));
  const told = `SES: ${name}: ${message.split("\n", 1).join("")}`;
  return REFUSALS.has(name) ? new RefusedError(told) : new Error(told);
}
