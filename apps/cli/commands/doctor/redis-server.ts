import type { Redis } from "ioredis";
import { note, ok, problem, type Finding } from "./finding.js";

/** XAUTOCLAIM, which mails need, came with 6.2; rights by selectors, which the playbooks set, with 7. */
const OLDEST = [6, 2] as const;

/** Version, memory policy and persistence, all from INFO. @throws when Redis is away. */
export async function checkServer(
  redis: Redis,
  address: string,
): Promise<Finding[]> {
  const askedAt = performance.now();
  const info = parseInfo(await redis.info());
  const tookMs = performance.now() - askedAt;
  return [
    ok("redis", `${address} answers (${tookMs.toFixed(1)} ms)`),
    judgeVersion(info),
    judgeMemory(info),
    judgePersistence(info),
  ];
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
}: RedisInfo): Finding {
  if (maxmemory === "0") return ok("memory", "no limit: nothing is evicted");
  return policy === "noeviction"
    ? ok("memory", `a limit of ${maxmemory ?? "?"} bytes, nothing is evicted`)
    : problem(
        "memory",
        `when memory runs out keys are evicted (${policy ?? "unknown policy"}): the flag may be among them, and absent means true`,
        "set maxmemory-policy noeviction in redis.conf",
      );
}

export function judgePersistence(info: RedisInfo): Finding {
  if (info.aof_enabled === "1")
    return info.aof_last_write_status === "ok"
      ? ok("persistence", "append-only file")
      : problem(
          "persistence",
          "the append-only file could not be written",
          "look at Redis's log, and at the space on its disk",
        );
  if (info.rdb_last_bgsave_status !== "ok")
    return problem(
      "persistence",
      "the last snapshot failed",
      "look at Redis's log, and at the space on its disk",
    );
  return note(
    "persistence",
    "no append-only file: after a restart the flag is what the last snapshot says, or true",
    "set appendonly yes in redis.conf",
  );
}
