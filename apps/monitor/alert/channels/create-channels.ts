import type { Logger } from "../../../../lib/program/log.js";
import type { AlertConfig } from "../alert-config.js";
import { composeMail } from "../message/compose.js";
import { createLogTransport } from "./log.js";
import { createSesTransport } from "./ses.js";
import { createSmtpTransport } from "./smtp.js";
import type { NoticeSettings } from "../message/notice.js";
import type { Channel, MailTransport } from "./channel.js";
import { createWebhookChannel } from "./webhook.js";

/** Mail always, and the webhook if one is set. */
export function createChannels(
  config: AlertConfig,
  notice: NoticeSettings,
  logger: Logger,
): Channel[] {
  const { from, to, webhook } = config;
  const transport = createTransport(config, logger);
  const mail = createMailChannel(transport, { from, to, ...notice });
  if (webhook === undefined) return [mail];
  return [mail, createWebhookChannel(webhook, notice)];
}

export function createMailChannel(
  transport: MailTransport,
  settings: Parameters<typeof composeMail>[1],
): Channel {
  return {
    name: "mail",
    send: (event) => transport.send(composeMail(event, settings)),
    close: () => transport.close(),
  };
}

export function createTransport(
  config: AlertConfig,
  logger: Logger,
): MailTransport {
  switch (config.transport) {
    case "log":
      return createLogTransport(logger);
    case "smtp":
      return createSmtpTransport(config.smtpUrl, logger);
    case "ses":
      return createSesTransport({
        region: config.awsRegion,
        endpoint: config.sesEndpoint,
      });
  }
}
