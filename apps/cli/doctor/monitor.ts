import { describeHeld } from "../../../lib/held-channel.js";
import { toPlain } from "../../../lib/plain-text.js";
import type { MonitorClient } from "../monitor-client.js";
import { describeApiFailure } from "./failure.js";
import { ok, problem, type Finding } from "./finding.js";

/** Whether the monitor's API answers, is about the same flag, and can tell people what it has to. */
export async function checkMonitor(
  monitor: MonitorClient,
  flagName: string,
): Promise<Finding[]> {
  try {
    const { flag, outbox } = await monitor.readState();
    if (flag.name !== flagName)
      return [
        problem(
          "api",
          `the monitor at ${monitor.url} is about the flag ${flag.name}, and FLAG_NAME here is ${flagName}`,
          "set FLAG_NAME as the monitor has it",
        ),
      ];
    return [
      ok("api", `the monitor at ${monitor.url} answers`),
      ...outbox.held.map((held) =>
        problem(
          held.channel,
          toPlain(describeHeld(held)),
          "mend what the message tells of; what waits is sent as soon as that is done",
        ),
      ),
    ];
  } catch (err) {
    return [describeApiFailure("api", err)];
  }
}
