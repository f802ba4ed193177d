import { isLoopback } from "../../../lib/settings/base-config.js";
import type { SettingsReader } from "../../../lib/settings/settings.js";
import type { WebhookConfig } from "./channels/webhook.js";

const TRANSPORTS = ["log", "smtp", "ses"] as const;
const MAX_SES_RECIPIENTS = 50;
/** The sender and recipient of mails that are only logged. */
const NOBODY = "serin@localhost";
/** The HTML Standard's "valid e-mail address" (section 4.10.5.1.5), which every transport accepts. */
const MAIL_ADDRESS =
  /^[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?)*$/i;

export type AlertConfig = {
  from: string;
  to: string[];
  webhook?: WebhookConfig;
} & (
  | { transport: "log" }
  | {
      transport: "smtp";
      /** May hold a password: never log it. */
      smtpUrl: string;
    }
  | { transport: "ses"; awsRegion: string; sesEndpoint: string | undefined }
);

export function readAlertConfig(settings: SettingsReader): AlertConfig {
  const transport = settings.choice("ALERT_TRANSPORT", TRANSPORTS, "log");
  // A bad transport is already a problem, and does not make missing addresses one.
  const isSent = transport === "smtp" || transport === "ses";
  const shared = {
    ...readWebhook(settings),
    ...readAddresses(settings, {
      fallback: isSent ? undefined : NOBODY,
      most: transport === "ses" ? MAX_SES_RECIPIENTS : Infinity,
    }),
  };
  if (transport === "smtp") {
    const right = "smtp://[user:password@]host[:port] or smtps://…";
    const smtpUrl = settings.secret(
      "SMTP_URL",
      right,
      urlOf("smtp:", "smtps:"),
    );
    return { transport, ...shared, smtpUrl };
  }
  if (transport !== "ses") return { transport, ...shared };
  return {
    transport,
    ...shared,
    awsRegion: settings.parsed(
      "AWS_REGION",
      "a region such as eu-central-1",
      (value) => (/^[a-z]{2,}(-[a-z]+)+-\d+$/.test(value) ? value : undefined),
    ),
    sesEndpoint: settings.isSet("SES_ENDPOINT")
      ? settings.parsed(
          "SES_ENDPOINT",
          "an http:// or https:// URL",
          urlOf("http:", "https:"),
        )
      : undefined,
  };
}

/**
 * Other hosts need TLS: a path such as Slack's is a secret, and a reason may hold one. Loopback may lead to a relay.
 */
function readWebhook(settings: SettingsReader): { webhook?: WebhookConfig } {
  const secret = settings.isSet("ALERT_WEBHOOK_SECRET")
    ? settings.secret(
        "ALERT_WEBHOOK_SECRET",
        "at least 16 characters",
        (value) => (value.length >= 16 ? value : undefined),
      )
    : undefined;
  if (!settings.isSet("ALERT_WEBHOOK_URL")) {
    if (secret !== undefined)
      settings.reject(
        "ALERT_WEBHOOK_SECRET is set, but ALERT_WEBHOOK_URL is not: there is nothing to sign",
      );
    return {};
  }
  const parseUrl = (value: string) => {
    if (urlOf("http:", "https:")(value) === undefined) return undefined;
    const url = new URL(value);
    const isSafe =
      url.protocol === "https:" ||
      isLoopback(url.hostname.replace(/^\[|\]$/g, ""));
    return isSafe ? url : undefined;
  };
  const right = "an https:// URL, or http:// to a loopback address";
  const url = settings.secret("ALERT_WEBHOOK_URL", right, parseUrl);
  return { webhook: { url, secret } };
}

function readAddresses(
  settings: SettingsReader,
  { fallback, most }: { fallback: string | undefined; most: number },
) {
  const parseAddress = (value: string) =>
    MAIL_ADDRESS.test(value) ? value : undefined;
  let recipients = 0;
  const parseRecipient = (part: string) => {
    recipients += 1;
    if (recipients === most + 1)
      settings.reject(
        `ALERT_TO names more than the ${most} addresses that Amazon SES takes: give the address of a list`,
      );
    if (parseAddress(part) === undefined)
      settings.reject(
        `ALERT_TO names ${JSON.stringify(part)}: give mail addresses such as ops@example.com`,
      );
    return part;
  };
  return {
    from: settings.parsed(
      "ALERT_FROM",
      "a mail address such as serin@example.com",
      parseAddress,
      fallback,
    ),
    to: settings.list(
      "ALERT_TO",
      "mail addresses separated by commas",
      parseRecipient,
      fallback === undefined ? undefined : [fallback],
    ),
  };
}

/** A parser that takes URLs with one of these protocols and a host, and leaves them as they are. */
function urlOf(...protocols: string[]) {
  return (value: string): string | undefined => {
    const url = URL.canParse(value) ? new URL(value) : undefined;
    return url?.hostname && protocols.includes(url.protocol)
      ? value
      : undefined;
  };
}
