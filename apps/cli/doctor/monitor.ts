import { CliError, EXIT } from "../exit-status.js";
import type { MonitorClient } from "../monitor-client.js";
import { note, ok, problem, type Finding } from "./finding.js";

/** Whether the monitor's API answers, and is about the same flag. */
export async function checkMonitor(
  monitor: MonitorClient,
  flagName: string,
): Promise<Finding[]> {
  try {
    const { flag } = await monitor.readState();
    if (flag.name !== flagName)
      return [
        problem(
          "api",
          `the monitor at ${monitor.url} is about the flag ${flag.name}, and FLAG_NAME here is ${flagName}`,
          "set FLAG_NAME as the monitor has it",
        ),
      ];
    return [ok("api", `the monitor at ${monitor.url} answers`)];
  } catch (err) {
    return [toFinding("api", err)];
  }
}

/** @param isWaiting whether the outbox still holds the mail with this id */
export async function checkMail(
  monitor: MonitorClient,
  isWaiting: (id: string) => Promise<boolean>,
): Promise<Finding> {
  try {
    const { id, transport } = await monitor.sendTestMail();
    if (await isWaiting(id))
      return problem(
        "test mail",
        `it still waits in the outbox (ALERT_TRANSPORT is ${transport})`,
        "the leading monitor's log says why; the mail stays there and is tried again",
      );
    return transport === "log"
      ? note(
          "test mail",
          "the monitor only logs its mails: nobody gets one",
          "set ALERT_TRANSPORT to smtp or ses",
        )
      : ok("test mail", `${transport} took it: look into the mailbox`);
  } catch (err) {
    return toFinding("test mail", err);
  }
}

function toFinding(check: string, err: unknown): Finding {
  if (!(err instanceof CliError)) throw err;
  const isRefused = err.status === EXIT.refused;
  return {
    check,
    level: isRefused ? "refused" : "unreachable",
    says: err.message,
    todo: isRefused
      ? "set ADMIN_TOKEN in the environment to the monitor's"
      : "set MONITOR_URL to where it listens, or start it",
  };
}
