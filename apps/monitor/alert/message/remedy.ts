import type { Keys } from "../../../../lib/redis/keys.js";

/** How a person changes the flag by hand: either of the shell commands does it. */
export interface Remedy {
  purpose: string;
  commands: string[];
}

export interface RemedySettings {
  keys: Keys;
  /** How people reach Redis: `redis-cli -h 10.0.0.5`. */
  redisCli: string;
  /** Where people reach the monitor, without a slash at the end: `http://127.0.0.1:8090`. */
  monitorUrl: string;
  /** Whether the monitor's API asks for ADMIN_TOKEN. */
  tokenRequired: boolean;
}

/** `flag` goes into shell commands as it is: it must be a flag's valid name. */
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
