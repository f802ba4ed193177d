import type { StateReport } from "../../../../lib/telemetry/monitor-state.js";
import { describeHeld } from "../../../../lib/wording/headline.js";
import { describeHostDifference } from "../../../../lib/wording/host-difference.js";
import {
  describePlacebo,
  isPlaceboBad,
} from "../../../../lib/wording/placebo.js";
import type { MonitorClient } from "../../sources/monitor-client.js";
import type { Store } from "../../sources/redis-link.js";
import { readLeaseFacts } from "../../sources/redis-report.js";
import { ok, problem, type Finding } from "./finding.js";

type Lease = StateReport["lease"];

/** Checks that the monitor is responsible for the same flag and can send its messages. */
export function judgeMonitor(
  monitor: MonitorClient,
  state: StateReport,
): Finding[] {
  const other = monitor.describeOtherFlag(state);
  if (other !== undefined)
    return [problem("api", other, "set FLAG_NAME to the monitor's value")];
  const difference =
    state.hostDifference && describeHostDifference(state.hostDifference);
  return [
    ok("api", `the monitor at ${monitor.url} answers`),
    ...(state.obstacle
      ? [
          problem(
            "lease",
            `the monitor at ${monitor.url} cannot lead: ${state.obstacle}`,
            "fix the reported error; it then leads again by itself",
          ),
        ]
      : []),
    ...(!difference
      ? []
      : [
          problem(
            "verdict",
            difference,
            "give the canary hosts like prod’s, or find what else slows them",
          ),
        ]),
    ...(!state.placebo || !isPlaceboBad(state.placebo)
      ? []
      : [
          problem(
            "placebo",
            describePlacebo(state.placebo),
            "find how these hosts differ: a release on one of them would stop without a fault of its own",
          ),
        ]),
    ...state.outbox.held.map((held) =>
      problem(
        held.channel,
        describeHeld(held),
        "fix the reported error; waiting messages are sent afterwards",
      ),
    ),
  ];
}

/** Checks that the monitor uses this Redis and prefix: both name the same leader. @throws if one is unreachable */
export async function checkSameSystem(
  store: Store,
  monitor: MonitorClient,
): Promise<Finding[]> {
  const look = async () => ({
    here: await readLeaseFacts(store),
    there: (await monitor.readState()).lease,
  });
  let { here, there } = await look();
  // The leader may change between the two reads.
  if (!isSame(here, there)) ({ here, there } = await look());
  if (isSame(here, there)) return [];
  return [
    problem(
      "system",
      `the monitor at ${monitor.url} uses another Redis or KEY_PREFIX: here ${describe(here)}, there ${describe(there)}`,
      "set REDIS_URL, KEY_PREFIX and MONITOR_URL to values of one system",
    ),
  ];
}

function isSame(a: Lease, b: Lease): boolean {
  return a?.holder === b?.holder && a?.epoch === b?.epoch;
}

function describe(lease: Lease): string {
  return lease === null
    ? "no monitor leads"
    : `${lease.holder} leads (epoch ${lease.epoch})`;
}
