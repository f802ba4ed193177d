import { isLoopback } from "../../../lib/settings/base-config.js";
import type { SettingsReader } from "../../../lib/settings/settings.js";
import type { WebhookConfig } from "./channels/webhook.js";

const TRANSPORTS = ["log", "smtp", "ses"] as const;
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
    ...readAddresses(settings, isSent ? undefined : NOBODY),
  };
  if (transport === "smtp")
    return { transport, ...shared, smtpUrl: readSmtpUrl(settings) };
  if (transport === "ses")
    return {
      transport,
      ...shared,
      awsRegion: readAwsRegion(settings),
      sesEndpoint: readSesEndpoint(settings),
    };
  return { transport, ...shared };
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
  const url = settings.secret(
    "ALERT_WEBHOOK_URL",
    "an https:// URL, or http:// to a loopback address",
    (value) => {
      if (!hasProtocol(value, ["http:", "https:"])) return undefined;
      const parsed = new URL(value);
      const host = parsed.hostname.replace(/^\[|\]$/g, "");
      return parsed.protocol === "https:" || isLoopback(host)
        ? parsed
        : undefined;
    },
  );
  return { webhook: { url, secret } };
}

function readAddresses(settings: SettingsReader, fallback?: string) {
  const parseRecipient = (part: string) => {
    if (!MAIL_ADDRESS.test(part))
      settings.reject(
        `ALERT_TO names ${JSON.stringify(part)}: give mail addresses such as ops@example.com`,
      );
    return part;
  };
  return {
    from: settings.parsed(
      "ALERT_FROM",
      "a mail address such as serin@example.com",
      (value) => (MAIL_ADDRESS.test(value) ? value : undefined),
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

function readSmtpUrl(settings: SettingsReader): string {
  return settings.secret(
    "SMTP_URL",
    "smtp://[user:password@]host[:port] or smtps://…",
    (value) => (hasProtocol(value, ["smtp:", "smtps:"]) ? value : undefined),
  );
}

function readAwsRegion(settings: SettingsReader): string {
  return settings.parsed(
    "AWS_REGION",
    "a region such as eu-central-1",
    (value) => (/^[a-z]{2,}(-[a-z]+)+-\d+$/.test(value) ? value : undefined),
  );
}

function readSesEndpoint(settings: SettingsReader): string | undefined {
  if (!settings.isSet("SES_ENDPOINT")) return undefined;
  return settings.parsed(
    "SES_ENDPOINT",
    "an http:// or https:// URL",
    (value) => (hasProtocol(value, ["http:", "https:"]) ? value : undefined),
  );
}

function hasProtocol(value: string, protocols: readonly string[]): boolean {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  return (
    url !== undefined && protocols.includes(url.protocol) && url.hostname !== ""
  );
}
