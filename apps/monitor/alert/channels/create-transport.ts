import type { Logger } from "../../../../lib/program/log.js";
import type { AlertConfig } from "../alert-config.js";
import { createLogTransport } from "./log.js";
import { createSesTransport } from "./ses.js";
import { createSmtpTransport } from "./smtp.js";
import type { MailTransport } from "./transport.js";

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
