import { parseArgs } from "node:util";
import { LaunchError, PORTS } from "./config.js";
import { TRAFFIC_SUMMARY } from "./traffic.js";

/** @throws LaunchError for an unknown argument */
export function parseCommandLine(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", short: "h", default: false },
        traffic: { type: "boolean", default: false },
      },
    }).values;
  } catch (err) {
    const why = err instanceof Error ? err.message : String(err);
    throw new LaunchError(`${why}\n\n${USAGE}`);
  }
}

const portLines = Object.values(PORTS).map(
  ({ variable, fallback, user }) =>
    `  ${variable.padEnd(18)} ${user} (${fallback === 0 ? "any free port" : fallback})`,
);

export const USAGE = `npm start [-- --traffic]

Runs Serin on this machine: Redis, a prod and a canary app with an agent each, the proxy, the monitor, and a mailbox for the
monitor's mails. Ctrl-C stops everything.

  --traffic          sends a light load through the proxy: ${TRAFFIC_SUMMARY}
  --help             shows this help

Settings are environment variables. Ports (0 selects a free one):

${portLines.join("\n")}

  REDIS_URL          an existing Redis, instead of a private one
  HOST               the address to listen on (127.0.0.1)
  ALERT_TRANSPORT, SMTP_URL, ALERT_TO …
                     send mails elsewhere instead of to the mailbox
  NO_COLOR           no colours

Other settings are passed to the programs, for example:

  LATENCY_THRESHOLD_MS=200 COOLDOWN_MS=10000 SLOW_MS=400 npm start
`;
