import { setTimeout as sleep } from "node:timers/promises";
import { describeHeld } from "../../../../lib/wording/headline.js";
import { parseEvent } from "../../../../lib/flag/ledger.js";
import type { MonitorClient, TestMail } from "../../sources/monitor-client.js";
import type { RedisLink, Store } from "../../sources/redis-link.js";
import { describeApiFailure, describeRedisFailure } from "./failure.js";
import { note, ok, problem, type Finding } from "./finding.js";

const CHECK = "test mail";
/** Longer than a working transport takes. */
const TIMEOUT_MS = 10_000;
const POLL_MS = 200;
/** The number of newest events and mails to search for the test mail. */
const LOOK_BACK = 100;

/** Has the monitor send a test mail, and reports its delivery. */
export async function checkMail(
  monitor: MonitorClient,
  link: RedisLink,
): Promise<Finding> {
  let sent: TestMail;
  try {
    sent = await monitor.sendTestMail();
  } catch (err) {
    return describeApiFailure(CHECK, err);
  }
  try {
    const store = await link.open();
    if (!(await leavesOutbox(store, sent.id)))
      return await describeDelay(monitor, sent);
    return await describeEnd(store, sent);
  } catch (err) {
    return describeRedisFailure(CHECK, err, link.address);
  }
}

async function describeDelay(
  monitor: MonitorClient,
  { transport }: TestMail,
): Promise<Finding> {
  const { outbox } = await monitor.readState();
  const says = [
    `it waits in the outbox (ALERT_TRANSPORT is ${transport})`,
    ...outbox.held.map((held) => describeHeld(held)),
  ];
  return problem(
    CHECK,
    says.join("; "),
    "see the leading monitor's log; the mail stays in the outbox and is retried",
  );
}

/** Describes a mail that is not in the outbox: accepted, refused, or written to another Redis. */
async function describeEnd(
  { ledger }: Store,
  sent: TestMail,
): Promise<Finding> {
  const alerts = await ledger.readEvents({ kind: "alert", limit: LOOK_BACK });
  const recorded = alerts.find(({ data }) => data.id === sent.id);
  if (recorded === undefined)
    return problem(
      CHECK,
      "its delivery cannot be checked: the monitor uses another Redis or KEY_PREFIX",
      "set REDIS_URL and KEY_PREFIX to the monitor's values",
    );
  const refusal = alerts.find(
    ({ data }) => data.alert === "refused" && data.event === recorded.id,
  );
  return refusal === undefined
    ? describeSuccess(sent)
    : problem(
        CHECK,
        refusal.reason,
        "fix the cause of the refusal, and try again",
      );
}

function describeSuccess({ transport }: TestMail): Finding {
  return transport === "log"
    ? note(
        CHECK,
        "the monitor only logs its mails and sends none",
        "set ALERT_TRANSPORT to smtp or ses",
      )
    : ok(CHECK, `${transport} accepted it: check the mailbox`);
}

async function leavesOutbox(store: Store, id: string): Promise<boolean> {
  const deadline = performance.now() + TIMEOUT_MS;
  while (await holdsMail(store, id)) {
    if (performance.now() > deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}

async function holdsMail({ redis, keys }: Store, id: string): Promise<boolean> {
  const newest = ["+", "-", "COUNT", LOOK_BACK] as const;
  const mails = await redis.xrevrange(keys.outbox, ...newest);
  return mails.some(
    ([entry, fields]) => parseEvent(entry, fields)?.data.id === id,
  );
}
