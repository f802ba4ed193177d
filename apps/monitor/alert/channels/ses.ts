import { SESClient, SendRawEmailCommand } from "@aws-sdk/client-ses";
import MailComposer from "nodemailer/lib/mail-composer";
import {
  concernsMessage,
  RefusedError,
  type MailTransport,
} from "./channel.js";

const CONNECTION_TIMEOUT_MS = 5000;
const REQUEST_TIMEOUT_MS = 15_000;

/** Credentials come from the SDK's default chain: environment, shared files, instance role. */
export function createSesTransport(options: {
  region: string;
  /** Undefined for Amazon's own in the region. */
  endpoint: string | undefined;
  requestTimeoutMs?: number;
}): MailTransport {
  const { region, endpoint, requestTimeoutMs } = options;
  const client = new SESClient({
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    // The courier retries and keeps the order.
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  });
  return {
    send: async (mail) => {
      const raw = await new MailComposer({ ...mail, newline: "windows" })
        .compile()
        .build();
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

/** On a bad signature, SES answers with the session token, after the first line. */
function withoutSecrets(err: unknown): Error {
  const { name, message } = err instanceof Error ? err : new Error(String(err));
  const line = `SES: ${name}: ${message.split("\n", 1).join("")}`;
  // SES also says MessageRejected of an account that is paused or has not verified an address.
  const isRefusal =
    name === "InvalidParameterValue" ||
    (name === "MessageRejected" && concernsMessage(message));
  return isRefusal ? new RefusedError(line) : new Error(line);
}
