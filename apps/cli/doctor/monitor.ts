import { describeHeld } from "../../../lib/held-channel.js";
import type { StateReport } from "../../../lib/monitor-state.js";
import { toPlain } from "../../../lib/plain-text.js";
import { ok, problem, type Finding } from "./finding.js";

/** Whether the monitor at `url` is about the same flag, and can tell people what it has to. */
export function judgeMonitor(
  { flag, outbox }: StateReport,
  url: string,
  flagName: string,
): Finding[] {
  if (flag.name !== flagName)
    return [
      problem(
        "api",
        `the monitor at ${url} is about the flag ${toPlain(flag.name)}, and FLAG_NAME here is ${flagName}`,
        "set FLAG_NAME as the monitor has it",
      ),
    ];
  return [
    ok("api", `the monitor at ${url} answers`),
    ...outbox.held.map((held) =>
      problem(
        held.channel,
        toPlain(describeHeld(held)),
        "mend what the message tells of; what waits is sent as soon as that is done",
      ),
    ),
  ];
}
