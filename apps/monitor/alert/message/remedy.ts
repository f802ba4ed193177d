import type { Keys } from "../../../../lib/redis/keys.js";

/** Shell commands that change the flag; either one is enough. */
export interface Remedy {
  purpose: string;
  commands: string[];
}

export interface RemedySettings {
  keys: Keys;
  /** Such as `redis-cli -h 10.0.0.5`. */
  redisCli: string;
  /** Without a slash at the end: `http://127.0.0.1:8090`. */
  monitorUrl: string;
  tokenRequired: boolean;
}

/** `flag` is not escaped: it must be a valid name. */
export function describeRemedy(
  value: boolean,
  flag: string,
  settings: RemedySettings,
): Remedy {
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
