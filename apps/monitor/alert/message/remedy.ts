import type { Keys } from "../../../../lib/redis/keys.js";

const DEFAULT_REDIS_PORT = "6379";

export type Remedy = ReturnType<typeof describeRemedy>;

export interface RemedySettings {
  keys: Keys;
  /** Such as `redis-cli -h 10.0.0.5`. */
  redisCli: string;
  /** Without a slash at the end: `http://127.0.0.1:8090`. */
  monitorUrl: string;
  tokenRequired: boolean;
}

/** Shell commands that change the flag; either one is enough. `flag` is not escaped: it must be a valid name. */
export function describeRemedy(
  value: boolean,
  flag: string,
  settings: RemedySettings,
) {
  const { keys, redisCli, monitorUrl, tokenRequired } = settings;
  const curl = [
    `curl -X POST ${monitorUrl}/api/flags/${flag}`,
    "-H 'content-type: application/json'",
    ...(tokenRequired ? ['-H "authorization: Bearer $ADMIN_TOKEN"'] : []),
    `-d '{"value":${value},"reason":"…"}'`,
  ];
  return {
    purpose: `To switch ${flag} ${value ? "on" : "off"} by hand`,
    commands: [`${redisCli} SET ${keys.flag(flag)} ${value}`, curl.join(" ")],
  };
}

/**
 * The `redis-cli` command line for `redisUrl`: `redis-cli -h 10.0.0.5 -p 6380`. It never holds the password, for which
 * redis-cli prompts.
 */
export function redisCliFor(redisUrl: string): string {
  const { hostname, port, protocol, username, password, pathname } = new URL(
    redisUrl,
  );
  const host = hostname.replace(/^\[|\]$/g, "");
  const database = pathname.slice(1);
  const options = [
    ["127.0.0.1", "localhost"].includes(host) ? "" : `-h ${host}`,
    ["", DEFAULT_REDIS_PORT].includes(port) ? "" : `-p ${port}`,
    ["", "0"].includes(database) ? "" : `-n ${database}`,
    protocol === "rediss:" ? "--tls" : "",
    username === "" ? "" : `--user ${decodeURIComponent(username)}`,
    password === "" ? "" : "--askpass",
  ];
  return ["redis-cli", ...options.filter((option) => option !== "")].join(" ");
}
