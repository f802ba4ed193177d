import { describeHeld } from "../../../../lib/wording/headline.js";
import type { StateReport } from "../../../../lib/telemetry/monitor-state.js";
import { toPlain } from "../../../../lib/wording/plain-text.js";
import { describeOtherFlag } from "../../sources/monitor-client.js";
import { ok, problem, type Finding } from "./finding.js";

/** Whether the monitor at `url` is about the same flag, and can tell people what it has to. */
export function judgeMonitor(
  state: StateReport,
  url: string,
  flagName: string,
): Finding[] {
  const other = describeOtherFlag(state, url, flagName);
  if (other !== undefined)
    return [problem("api", other, "set FLAG_NAME as the monitor has it")];
  return [
    ok("api", `the monitor at ${url} answers`),
    ...state.outbox.held.map((held) =>
      problem(
        held.channel,
        toPlain(describeHeld(held)),
        "mend what the message tells of; what waits is sent as soon as that is done",
      ),
    ),
  ];
}
