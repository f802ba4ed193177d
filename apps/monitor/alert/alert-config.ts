import * as z from "zod";
import {
  required,
  setting,
  type SettingsReader,
  type ValuesOf,
} from "../../../lib/settings/settings.js";
import {
  choice,
  FORMS,
  isLoopback,
  list,
  parsed,
  parseUrl,
  secret,
  text,
  url,
} from "../../../lib/settings/values.js";
import type { WebhookConfig } from "./channels/webhook.js";

const MAX_SES_RECIPIENTS = 50;
/** The sender and recipient of mails that are only logged. */
const NOBODY = "serin@localhost";
const mailAddress = text(
  "a mail address such as serin@example.com",
  FORMS.mailAddress,
);
/** Each bad address is reported by itself. */
const mailAddresses = list("mail addresses separated by commas", z.string());
const smtpUrl = url(
  "smtp://[user:password@]host[:port] or smtps://…",
  "smtp:",
  "smtps:",
);
const awsRegion = text("a region such as eu-central-1", FORMS.awsRegion);
const sesEndpoint = url("an http:// or https:// URL", "http:", "https:");
const webhookUrl = parsed(
  "an https:// URL, or http:// to a loopback address",
  parseWebhook,
);
const webhookSecret = text("at least 16 characters", /^.{16,}$/s);

export const ALERT_SETTINGS = {
  transport: setting("ALERT_TRANSPORT", choice("log", "smtp", "ses"), {
    default: "log",
    meaning: "how mails are sent; log: written to the log only",
  }),
  from: setting("ALERT_FROM", mailAddress, { meaning: "the sender" }),
  to: setting("ALERT_TO", mailAddresses, {
    meaning: "recipients, separated by commas",
  }),
  smtpUrl: setting("SMTP_URL", secret(smtpUrl), {
    meaning: "for ALERT_TRANSPORT=smtp",
  }),
  awsRegion: setting("AWS_REGION", awsRegion, {
    meaning:
      "for ALERT_TRANSPORT=ses; credentials come from the AWS SDK's default chain",
  }),
  sesEndpoint: setting("SES_ENDPOINT", sesEndpoint, {
    meaning: "to use another service than Amazon's",
  }),
  webhook: {
    url: setting("ALERT_WEBHOOK_URL", secret(webhookUrl), {
      meaning: "also receives everything that is mailed; never logged",
    }),
    secret: setting("ALERT_WEBHOOK_SECRET", secret(webhookSecret), {
      meaning: "signs webhook calls, see docs/monitoring.md",
    }),
  },
};

export type AlertConfig = ReturnType<typeof readAlertConfig>;

/** The settings of a transport that is not used are not read. */
export function readAlertConfig(settings: SettingsReader) {
  const { smtpUrl, awsRegion, sesEndpoint } = ALERT_SETTINGS;
  const { transport } = settings.read({ transport: ALERT_SETTINGS.transport });
  const webhook = readWebhook(settings);
  const shared = {
    ...readAddresses(settings, transport),
    ...(webhook && { webhook }),
  };
  if (transport === "smtp") {
    const mailer = settings.read({ smtpUrl: required(smtpUrl) });
    return { transport, ...shared, ...mailer };
  }
  if (transport !== "ses") return { transport, ...shared };
  const mailer = settings.read({ awsRegion: required(awsRegion), sesEndpoint });
  return { transport, ...shared, ...mailer };
}

function readAddresses(
  settings: SettingsReader,
  transport: ValuesOf<typeof ALERT_SETTINGS>["transport"],
) {
  const { from, to } = ALERT_SETTINGS;
  // A bad transport is already a problem, and does not make missing addresses one.
  const isSent = transport === "smtp" || transport === "ses";
  const given = settings.read(
    isSent ? { from: required(from), to: required(to) } : { from, to },
  );
  if (transport === "ses" && Number(given.to?.length) > MAX_SES_RECIPIENTS)
    settings.reject(
      `ALERT_TO names more than the ${MAX_SES_RECIPIENTS} addresses that Amazon SES takes: give the address of a list`,
    );
  for (const address of given.to ?? [])
    if (!FORMS.mailAddress.test(address))
      settings.reject(
        `ALERT_TO names ${JSON.stringify(address)}: give mail addresses such as ops@example.com`,
      );
  return { from: given.from ?? NOBODY, to: given.to ?? [NOBODY] };
}

function readWebhook(settings: SettingsReader): WebhookConfig | undefined {
  const { url, secret } = settings.read(ALERT_SETTINGS.webhook);
  if (url !== undefined) return { url, secret };
  if (secret !== undefined && !settings.isSet("ALERT_WEBHOOK_URL"))
    settings.reject(
      "ALERT_WEBHOOK_SECRET is set, but ALERT_WEBHOOK_URL is not: there is nothing to sign",
    );
  return undefined;
}

/** Other hosts need TLS: a path such as Slack's is a secret, and a reason may hold one. Loopback may lead to a relay. */
function parseWebhook(value: string): URL | undefined {
  const url = parseUrl(value, ["http:", "https:"]);
  const isSafe =
    url?.protocol === "https:" ||
    isLoopback(url?.hostname.replace(/^\[|\]$/g, "") ?? "");
  return isSafe ? url : undefined;
}
