import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import { describeHeld } from "../../../../lib/wording/headline.js";
import type { Keys } from "../../../../lib/redis/keys.js";
import { Ledger, parseEvent } from "../../../../lib/flag/ledger.js";
import { toPlain } from "../../../../lib/wording/plain-text.js";
import type { MonitorClient, TestMail } from "../../sources/monitor-client.js";
import type { RedisLink } from "../../sources/redis-link.js";
import { describeApiFailure, describeRedisFailure } from "./failure.js";
import { note, ok, problem, type Finding } from "./finding.js";

const CHECK = "test mail";
/** Longer than a sound transport takes. */
const TIMEOUT_MS = 10_000;
const POLL_MS = 200;
/** Of the newest events and mails, among which the test's are. */
const LOOK_BACK = 100;

/** Has a test mail sent, and says what became of it. */
export async function checkMail(
  monitor: MonitorClient,
  link: RedisLink,
  keys: Keys,
): Promise<Finding> {
  let sent: TestMail;
  try {
    sent = await monitor.sendTestMail();
  } catch (err) {
    return describeApiFailure(CHECK, err);
  }
  try {
    const redis = await link.open();
    if (!(await leavesOutbox(redis, keys, sent.id)))
      return await describeDelay(monitor, sent);
    return await describeEnd(redis, keys, sent);
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
    `it still waits in the outbox (ALERT_TRANSPORT is ${transport})`,
    ...outbox.held.map((held) => toPlain(describeHeld(held))),
  ];
  return problem(
    CHECK,
    says.join("; "),
    "the leading monitor's log says why, too; the mail stays there and is tried again",
  );
}

/** Of a mail that is not in the outbox: taken, refused, or never in this one. */
async function describeEnd(
  redis: Redis,
  keys: Keys,
  sent: TestMail,
): Promise<Finding> {
  const alerts = await new Ledger(redis, keys).readEvents({
    kind: "alert",
    limit: LOOK_BACK,
  });
  const told = alerts.find(({ data }) => data.id === sent.id);
  if (told === undefined)
    return problem(
      CHECK,
      "what became of it cannot be seen: the monitor has put it into another Redis, or under another KEY_PREFIX",
      "set REDIS_URL and KEY_PREFIX as the monitor has them",
    );
  const refusal = alerts.find(
    ({ data }) => data.alert === "refused" && data.event === told.id,
  );
  return refusal === undefined
    ? describeSuccess(sent)
    : problem(
        CHECK,
        toPlain(refusal.reason),
        "mend what the refusal names, and try again",
      );
}

function describeSuccess({ transport }: TestMail): Finding {
  return transport === "log"
    ? note(
        CHECK,
        "the monitor only logs its mails: nobody gets one",
        "set ALERT_TRANSPORT to smtp or ses",
      )
    : ok(CHECK, `${transport} took it: look into the mailbox`);
}

async function leavesOutbox(
  redis: Redis,
  keys: Keys,
  id: string,
): Promise<boolean> {
  const deadline = performance.now() + TIMEOUT_MS;
  while (await holdsMail(redis, keys, id)) {
    if (performance.now() > deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}

async function holdsMail(
  redis: Redis,
  keys: Keys,
  id: string,
): Promise<boolean> {
  const mails = await redis.xrevrange(
    keys.outbox,
    "+",
    "-",
    "COUNT",
    LOOK_BACK,
  );
  return mails.some(
    ([entry, fields]) => parseEvent(entry, fields)?.data.id === id,
  );
}
