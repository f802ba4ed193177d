import { CliError, EXIT } from "../../exit-status.js";
import { explainRedisError } from "../../sources/redis-link.js";
import type { Finding } from "./finding.js";

/** @throws what is no failure of the monitor's API */
export function describeApiFailure(check: string, err: unknown): Finding {
  return describe(check, err, {
    refused: "set ADMIN_TOKEN in the environment to the monitor's",
    unreachable: "set MONITOR_URL to where it listens, or start it",
  });
}

/** @param address Redis's @throws what is no failure of Redis */
export function describeRedisFailure(
  check: string,
  err: unknown,
  address: string,
): Finding {
  return describe(check, explainRedisError(err, address), {
    refused: "set user and password in REDIS_URL",
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
