import type { SettingsReader } from "../../../lib/settings.js";

const TRANSPORTS = ["log", "smtp", "ses"] as const;
/** Stands in the mails that are only logged. */
const NOBODY = "serin@localhost";
/** The HTML Standard's "valid e-mail address" (section 4.10.5.1.5): one that every transport takes. */
const MAIL_ADDRESS =
  /^[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?)*$/i;

export type AlertConfig = { from: string; to: string[] } & (
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
  if (transport === "smtp")
    return {
      transport,
      ...readAddresses(settings),
      smtpUrl: readSmtpUrl(settings),
    };
  if (transport === "ses")
    return {
      transport,
      ...readAddresses(settings),
      awsRegion: readAwsRegion(settings),
      sesEndpoint: readSesEndpoint(settings),
    };
  return { transport, ...readAddresses(settings, NOBODY) };
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
