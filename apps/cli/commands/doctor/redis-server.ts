import { formatMs } from "../../../../lib/wording/units.js";
import type { Store } from "../../sources/redis-link.js";
import { note, ok, problem, type Finding } from "./finding.js";

/** Mails need XAUTOCLAIM (6.2). The playbooks set rights by selectors (7). */
const OLDEST = [6, 2] as const;

/** Checks version, memory policy and persistence, all from INFO. */
export async function checkServer(
  { redis }: Store,
  { address, isOfDev }: { address: string; isOfDev: boolean },
): Promise<Finding[]> {
  const askedAt = performance.now();
  const info = parseInfo(await redis.info());
  const tookMs = performance.now() - askedAt;
  return [
    ok("redis", `${address} answers (${formatMs(tookMs)})`),
    judgeVersion(info),
    ...judgeRole(info),
    judgeMemory(info),
    judgePersistence(info, isOfDev),
  ];
}

export function judgeRole({
  role,
  master_host: primary,
}: RedisInfo): Finding[] {
  if (role !== "slave") return [];
  const says = `this Redis is a replica of ${primary ?? "another"} and refuses writes`;
  return [problem("role", says, "point REDIS_URL at the primary")];
}

export type RedisInfo = Readonly<Record<string, string | undefined>>;

export function parseInfo(text: string): RedisInfo {
  return Object.fromEntries(
    text.split(/\r?\n/).flatMap((line) => {
      const [, name, value] = /^(\w+):(.*)$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, value]];
    }),
  );
}

export function judgeVersion({ redis_version: version }: RedisInfo): Finding {
  const [major = 0, minor = 0] = (version ?? "").split(".").map(Number);
  const isOld = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
  return isOld
    ? problem(
        "version",
        `Redis ${version ?? "of no known version"}`,
        "install 6.2 or newer; the playbooks need 7",
      )
    : ok("version", `Redis ${version ?? ""}`);
}

export function judgeMemory({
  maxmemory,
  maxmemory_policy: policy,
  used_memory: used,
}: RedisInfo): Finding {
  if (maxmemory === "0") return ok("memory", "no limit: nothing is evicted");
  if (policy === "noeviction" && Number(used) >= Number(maxmemory))
    return problem(
      "memory",
      `full: Redis uses ${used ?? "?"} of ${maxmemory ?? "?"} bytes and refuses writes`,
      "raise maxmemory, or remove other data from this Redis",
    );
  return policy === "noeviction"
    ? ok("memory", `a limit of ${maxmemory ?? "?"} bytes, nothing is evicted`)
    : problem(
        "memory",
        `Redis evicts keys when memory runs out (${policy ?? "unknown policy"}): an evicted flag counts as on`,
        "set maxmemory-policy noeviction in redis.conf",
      );
}

/** @param isOfDev whether `serin dev` runs on it, for which nothing has to outlive a restart */
export function judgePersistence(info: RedisInfo, isOfDev = false): Finding {
  if (info.rdb_last_bgsave_status === "err")
    return problem(
      "persistence",
      "the last snapshot failed: Redis refuses writes, unless stop-writes-on-bgsave-error is no",
      "check Redis's log and its free disk space",
    );
  if (info.aof_enabled === "1")
    return info.aof_last_write_status === "ok"
      ? ok("persistence", "append-only file")
      : problem(
          "persistence",
          "the append-only file could not be written",
          "check Redis's log and its free disk space",
        );
  if (isOfDev)
    return ok("persistence", "none, which `serin dev` does not need");
  return note(
    "persistence",
    "no append-only file: a restart returns the flag to the last snapshot, or to on",
    "set appendonly yes in redis.conf",
  );
}
