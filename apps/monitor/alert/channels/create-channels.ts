import type { Logger } from "../../../../lib/program/log.js";
import type { AlertConfig } from "../alert-config.js";
import { composeMail } from "../message/compose.js";
import { createLogTransport } from "./log.js";
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
    send: (report) => transport.send(composeMail(report, settings)),
    close: () => transport.close(),
  };
}

/** Loads only the libraries of this transport: the AWS SDK's take longer to load than the rest of the monitor. */
export function createTransport(
  config: AlertConfig,
  logger: Logger,
): MailTransport {
  if (config.transport === "log") return createLogTransport(logger);
  const loading = loadTransport(config, logger);
  return {
    send: async (mail) => (await loading).send(mail),
    close: () => void loading.then((transport) => transport.close()),
  };
}

async function loadTransport(
  config: Exclude<AlertConfig, { transport: "log" }>,
  logger: Logger,
): Promise<MailTransport> {
  if (config.transport === "smtp") {
    const { createSmtpTransport } = await import("./smtp.js");
    return createSmtpTransport(config.smtpUrl, logger);
  }
  const { createSesTransport } = await import("./ses.js");
  return createSesTransport({
    region: config.awsRegion,
    endpoint: config.sesEndpoint,
  });
}
