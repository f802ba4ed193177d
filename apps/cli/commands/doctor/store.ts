import { formatSpan, formatUtc } from "../../../../lib/wording/units.js";
import { entryTimeMs } from "../../../../lib/redis/stream-entry.js";
import type { Store } from "../../sources/redis-link.js";
import { readFlagFacts, readLeaseFacts } from "../../sources/redis-report.js";
import {
  newestOf,
  readRedisTime,
  readTelemetry,
  type Heard,
} from "../../sources/telemetry-scan.js";
import { judgeClocks } from "./clock.js";
import { ok, problem, type Finding } from "./finding.js";
import { judgePresence } from "./presence.js";

const OUTBOX_DELAY_MS = 60_000;
/** A program that has been silent for longer is no longer expected. */
const MEMORY_MS = 600_000;

/** Checks Serin's data in Redis: flag, lease, mails, alerts, telemetry. */
export async function checkStore(
  store: Store,
  silenceMs: number,
): Promise<Finding[]> {
  const now = await readRedisTime(store.redis);
  const newest = newestOf(await readTelemetry(store, now - MEMORY_MS));
  const stops = await store.ledger.readEvents({ kind: "stop", limit: 200 });
  return [
    await checkFlag(store),
    await checkLease(store),
    await checkOutbox(store, now),
    ...(await checkAlerts(store, newest)),
    ...judgePresence({ newest, stops, silenceMs, now }),
    ...judgeClocks(newest),
  ];
}

async function checkFlag(store: Store): Promise<Finding> {
  const { flagName } = store;
  const { value, garbled, by, reason } = await readFlagFacts(store);
  if (garbled)
    return problem(
      "flag",
      `${flagName} is neither true nor false, which counts as off`,
      "serin flag on, or serin flag off",
    );
  if (value) return ok("flag", `${flagName} is on`);
  const why = reason === null ? "" : ` by ${by ?? "somebody"}: ${reason}`;
  return problem(
    "flag",
    `${flagName} is off, so the canary is stopped${why}`,
    "see serin why; serin flag on resumes the canary",
  );
}

async function checkLease(store: Store): Promise<Finding> {
  const lease = await readLeaseFacts(store);
  return lease === null
    ? problem(
        "monitor",
        "no monitor leads: the canary is not watched",
        "start one with this Redis and KEY_PREFIX, and check its log",
      )
    : ok(
        "monitor",
        `${lease.holder} leads, its lease is ${(lease.ageMs / 1000).toFixed(1)} s old`,
      );
}

async function checkOutbox(
  { redis, keys }: Store,
  now: number,
): Promise<Finding> {
  // The monitor's user has no right to XRANGE.
  const [pending, reply] = await Promise.all([
    redis.xlen(keys.outbox),
    redis.xread("COUNT", 1, "STREAMS", keys.outbox, "0-0"),
  ]);
  const oldest = reply?.[0]?.[1][0];
  if (oldest === undefined) return ok("mails", "none waiting");
  const ageMs = now - entryTimeMs(oldest[0]);
  const says = `${pending} waiting, the oldest for ${formatSpan(ageMs)}`;
  return ageMs <= OUTBOX_DELAY_MS
    ? ok("mails", says)
    : problem(
        "mails",
        says,
        "see the leading monitor's log for the error; serin doctor --send-test-mail tries again",
      );
}

/** @param newest the report of each proxy and agent, whose silence another check reports */
async function checkAlerts(
  { redis, keys }: Store,
  newest: readonly Heard[],
): Promise<Finding[]> {
  const raised = await redis.hgetall(keys.alerts);
  const known = newest.map(({ source }) => `silence:${source}`);
  const reported = new Set(["flag-value", ...known]);
  const alerts = Object.entries(raised).filter(([id]) => !reported.has(id));
  const typeOf = ([id]: [string, string]) => id.split(":", 1).join("");
  return [...new Set(alerts.map(typeOf))].map((type) => {
    const same = alerts.filter((alert) => typeOf(alert) === type);
    const subjects = same.map(([id]) => id.slice(type.length + 1));
    const since = new Date(same.map(([, at]) => at).toSorted()[0] ?? "");
    const of = subjects.filter((subject) => subject !== "").join(", ");
    const says = `${[type, of].filter(Boolean).join(": ")}, since ${formatUtc(since)}`;
    return problem("alert", says, "see serin events --kind alert");
  });
}
