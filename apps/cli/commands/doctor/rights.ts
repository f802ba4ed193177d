import { isNotPermitted, type Store } from "../../sources/redis-link.js";
import { note, ok, problem, type Finding } from "./finding.js";

/**
 * Asks Redis whether a flip's commands would be allowed, without running one (Redis 7).
 * KEYS flag, info, recovery, events, outbox, lease
 */
const ASK = `
if redis.acl_check_cmd == nil then return 'unknown' end
local refused = {}
local function ask(...)
  if not redis.acl_check_cmd(...) then refused[#refused + 1] = table.concat({...}, ' ', 1, 2) end
end
ask('GET', KEYS[1])
ask('SET', KEYS[1], 'true')
ask('HGET', KEYS[2], 'by')
ask('HSET', KEYS[2], 'by', 'operator')
ask('DEL', KEYS[3])
ask('XADD', KEYS[4], '*', 'kind', 'flip')
ask('XADD', KEYS[5], '*', 'kind', 'flip')
return refused
`;
const REMEDY =
  "set REDIS_URL to a user with this right: serin-operator of the playbooks, or the monitor's user";

/** Checks the rights to read what serin shows and to flip the flag. */
export async function checkRights(store: Store): Promise<Finding[]> {
  const { redis, keys, flagName } = store;
  const reads: [name: string, read: () => Promise<unknown>][] = [
    ["GET", () => redis.get(keys.flag(flagName))],
    ["HGETALL", () => redis.hgetall(keys.flagInfo(flagName))],
    ["PTTL", () => redis.pttl(keys.lease)],
    ["XLEN", () => redis.xlen(keys.outbox)],
    ["XREVRANGE", () => redis.xrevrange(keys.events, "+", "-", "COUNT", 1)],
    ["HGETALL", () => redis.hgetall(keys.alerts)],
    ["XREAD", () => redis.xread("COUNT", 1, "STREAMS", keys.outbox, "$")],
    ["XREAD", () => redis.xread("COUNT", 1, "STREAMS", keys.events, "$")],
    ["XREVRANGE", () => redis.xrevrange(keys.telemetry, "+", "-", "COUNT", 1)],
    ["TIME", () => redis.time()],
  ];
  const refused: string[] = [];
  for (const [name, read] of reads)
    if (!(await isAllowed(read))) refused.push(name);
  return [
    refused.length === 0
      ? ok("reading", "this user may read all that serin shows")
      : problem(
          "reading",
          `this user may not ${[...new Set(refused)].join(", ")}`,
          REMEDY,
        ),
    await checkFlip(store),
  ];
}

async function checkFlip({ redis, keys, flagName }: Store): Promise<Finding> {
  const names = [
    keys.flag(flagName),
    keys.flagInfo(flagName),
    keys.recovery(flagName),
    keys.events,
    keys.outbox,
    keys.lease,
  ];
  let refused: unknown;
  const mayRunIt = await isAllowed(async () => {
    refused = await redis.eval(ASK, names.length, ...names);
  });
  if (!mayRunIt)
    return problem("flipping", "this user may not flip the flag", REMEDY);
  if (!Array.isArray(refused))
    return note("flipping", "this version of Redis cannot report rights");
  return refused.length === 0
    ? ok("flipping", "this user may flip the flag")
    : problem(
        "flipping",
        `this user may not flip the flag: no ${refused.join(", ")}`,
        REMEDY,
      );
}

async function isAllowed(command: () => Promise<unknown>): Promise<boolean> {
  try {
    await command();
    return true;
  } catch (err) {
    if (isNotPermitted(err)) return false;
    throw err;
  }
}
