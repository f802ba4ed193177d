import type { Redis } from "ioredis";
import type { Keys } from "../../../../lib/redis/keys.js";
import type { StateReport } from "../../../../lib/telemetry/monitor-state.js";
import { toPlain } from "../../../../lib/wording/plain-text.js";
import type { MonitorClient } from "../../sources/monitor-client.js";
import { readLeaseFacts } from "../../sources/redis-report.js";
import { problem, type Finding } from "./finding.js";

type Lease = StateReport["lease"];

/** Checks that the monitor uses this Redis and prefix: both name the same leader. @throws if one is unreachable */
export async function checkSameSystem(
  redis: Redis,
  keys: Keys,
  monitor: MonitorClient,
): Promise<Finding[]> {
  const look = async () => ({
    here: await readLeaseFacts(redis, keys),
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
    : `${toPlain(lease.holder)} leads (epoch ${lease.epoch})`;
}
