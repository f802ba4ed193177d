import { isNotPermitted, type Store } from "../../sources/redis-link.js";
import type { Heard } from "../../sources/telemetry-scan.js";
import { ok, problem, type Finding } from "./finding.js";

const MAX_SKEW_MS = 2000;
const REMEDY =
  "synchronise the clocks of all hosts: chrony or systemd-timesyncd";

/** Compares this host's clock with Redis's. */
export async function checkClock({ redis }: Store): Promise<Finding[]> {
  const before = Date.now();
  let time: (number | string)[];
  try {
    time = await redis.time();
  } catch (err) {
    // The check of the rights reports this.
    if (isNotPermitted(err)) return [];
    throw err;
  }
  const here = (before + Date.now()) / 2;
  const [seconds = 0, microseconds = 0] = time.map(Number);
  const skewMs = here - (seconds * 1000 + microseconds / 1000);
  return [judgeSkew("this host", skewMs)];
}

/** Compares the clocks of proxies and agents with Redis's, by the newest report of each. */
export function judgeClocks(newest: readonly Heard[]): Finding[] {
  const findings = newest.map(({ source, at, heardAt }) =>
    judgeSkew(source, at - heardAt),
  );
  const bad = findings.filter(({ level }) => level !== "ok");
  if (bad.length > 0 || newest.length === 0) return bad;
  return [ok("clocks", "all proxies and agents agree with Redis")];
}

export function judgeSkew(who: string, skewMs: number): Finding {
  const size = Math.abs(skewMs);
  return size <= MAX_SKEW_MS
    ? ok(
        "clock",
        `${who} agrees with Redis (${(size / 1000).toFixed(2)} s apart)`,
      )
    : problem(
        "clock",
        `${who} is ${(size / 1000).toFixed(1)} s ${skewMs > 0 ? "ahead of" : "behind"} Redis`,
        REMEDY,
      );
}
