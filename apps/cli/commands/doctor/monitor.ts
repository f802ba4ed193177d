import { describeHeld } from "../../../../lib/wording/headline.js";
import type { StateReport } from "../../../../lib/telemetry/monitor-state.js";
import { toPlain } from "../../../../lib/wording/plain-text.js";
import { describeOtherFlag } from "../../sources/monitor-client.js";
import { ok, problem, type Finding } from "./finding.js";

/** Checks that the monitor at `url` is responsible for the same flag and can send its messages. */
export function judgeMonitor(
  state: StateReport,
  url: string,
  flagName: string,
): Finding[] {
  const other = describeOtherFlag(state, url, flagName);
  if (other !== undefined)
    return [problem("api", other, "set FLAG_NAME to the monitor's value")];
  return [
    ok("api", `the monitor at ${url} answers`),
    ...state.outbox.held.map((held) =>
      problem(
        held.channel,
        toPlain(describeHeld(held)),
        "fix the reported error; waiting messages are sent afterwards",
      ),
    ),
  ];
}
