import { hostname, userInfo } from "node:os";
import type { Environment } from "../../lib/settings/settings.js";

/** The user's name for the ledger: `alice@edge1`, also under sudo. */
export function nameOperator(env: Environment): string {
  return `${env.SUDO_USER ?? loginName()}@${hostname()}`;
}

function loginName(): string {
  try {
    return userInfo().username;
  } catch {
    return "unknown"; // A user id without an account, as in some containers.
  }
}
