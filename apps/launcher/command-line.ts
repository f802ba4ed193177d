import { parseArgs } from "node:util";
import { PORTS } from "./config.js";
import { LaunchError } from "./launch-error.js";
import { TRAFFIC_SUMMARY } from "./traffic.js";

export interface CommandLine {
  help: boolean;
  traffic: boolean;
}

/** @throws LaunchError for an argument that means nothing here. */
export function parseCommandLine(args: readonly string[]): CommandLine {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", short: "h", default: false },
        traffic: { type: "boolean", default: false },
      },
    });
    return values;
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

Runs the whole of Serin on this machine: Redis, a prod and a canary app with an agent each, the proxy, the monitor, and a
mailbox for the monitor's mails. Ctrl-C ends it all.

  --traffic          sends a gentle load through the proxy: ${TRAFFIC_SUMMARY}
  --help             shows this

Settings are environment variables. Ports, 0 for any free one:

${portLines.join("\n")}

  REDIS_URL          an existing Redis, in place of a private one
  HOST               the address to listen on (127.0.0.1)
  ALERT_TRANSPORT, SMTP_URL, ALERT_TO …
                     send the mails elsewhere than to the mailbox
  NO_COLOR           no colours

All others go to the programs they belong to, for example:

  LATENCY_THRESHOLD_MS=200 COOLDOWN_MS=10000 SLOW_MS=400 npm start
`;
