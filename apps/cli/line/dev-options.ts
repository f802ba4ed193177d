import { Option, type Command } from "commander";

/** What `serin dev --canary` and the keys of its terminal make of the canary. */
export const FAULTS = ["slow", "errors", "crash", "hang"] as const;

/** The options of `serin dev`, as parsed. */
export interface DevOptions {
  file: string;
  prod?: string;
  /** A folder or a fault. */
  canary?: string;
  build: boolean;
  watch: boolean;
  traffic: boolean;
  requests?: string;
}

export function addDev(command: Command): Command {
  return command
    .option("--prod <revision>", "what prod runs: a Git revision or a folder")
    .option(
      "--canary <folder>",
      `the folder that the canary runs, or a fault, with traffic that meets it: ${FAULTS.join(", ")}`,
    )
    .option("--watch", "restart the canary when its files change", false)
    .option("--traffic", "send a light load through the proxy", false)
    .option("--requests <list>", 'what it sends, such as "GET /, POST /set/a"')
    .option("--no-build", "run the working tree as it is, without `build`")
    .addOption(
      new Option("--file <path>", "where serin.yml is").default("serin.yml"),
    )
    .addHelpText("after", AFTERWORD);
}

const AFTERWORD = `
Prod runs the revision stable, or the last commit, in a checkout that is built
once; the canary runs the working tree. Redis, proxy, monitor, an agent for each
and a mailbox for the monitor's mails are private to it. Ctrl-C stops everything.

Settings are environment variables. Ports (0 selects a free one) are those of
serin.yml unless these say otherwise:
  PROXY_PORT, ADMIN_PORT         the proxy, and its status
  MONITOR_PORT                   the monitor
  PROD_PORT, CANARY_PORT         the service
  PROD_AGENT_PORT                prod's agent
  CANARY_AGENT_PORT              the canary's agent
  REDIS_PORT, SMTP_PORT          the private Redis, and the mailbox

  PROD_URLS, CANARY_URLS         instances that run already, instead of own ones
  REDIS_URL                      an existing Redis, instead of a private one
  HOST                           the address to listen on (127.0.0.1)
  HEALTH_PATH                    instead of health in serin.yml
  ALERT_TRANSPORT, SMTP_URL, ALERT_TO …
                                 send mails elsewhere instead of to the mailbox
  NO_COLOR                       no colours

Other settings are passed to the service and to Serin's programs, for example:
  LATENCY_THRESHOLD_MS=200 COOLDOWN_MS=10000 serin dev`;
