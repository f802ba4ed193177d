import { CliError, EXIT } from "../../exit-status.js";
import { explainRedisError } from "../../sources/redis-link.js";
import type { Finding } from "./finding.js";

/** What to do when Redis refuses, by the code of its error. */
const REMEDIES: Readonly<Record<string, string>> = {
  BUSY: "a script does not end: redis-cli --user serin-operator SCRIPT KILL",
  MASTERDOWN: "point REDIS_URL at the primary",
  MISCONF: "Redis cannot save its data: see its log and its free disk space",
  OOM: "raise maxmemory, or remove other data from this Redis",
  READONLY: "point REDIS_URL at the primary: this Redis is a replica",
};

/** Rethrows an error that is no failure of the monitor's API. */
export function describeApiFailure(check: string, err: unknown): Finding {
  return describe(check, err, {
    refused: "set ADMIN_TOKEN to the monitor's token",
    unreachable:
      "set MONITOR_URL to the monitor's address, or start the monitor",
  });
}

/** Rethrows an error that is no failure of Redis. @param address Redis's host and port */
export function describeRedisFailure(
  check: string,
  err: unknown,
  address: string,
): Finding {
  const explained = explainRedisError(err, address);
  const [, code = ""] = / refuses: \W*([A-Z]+)/.exec(String(explained)) ?? [];
  return describe(check, explained, {
    refused: REMEDIES[code] ?? "set user and password in REDIS_URL",
    unreachable:
      "set REDIS_URL, start Redis, or let this host through its firewall",
  });
}

function describe(
  check: string,
  err: unknown,
  todos: Record<"refused" | "unreachable", string>,
): Finding {
  if (!(err instanceof CliError)) throw err;
  const level = err.status === EXIT.refused ? "refused" : "unreachable";
  return { check, level, says: err.message, todo: todos[level] };
}
