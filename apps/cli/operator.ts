import { hostname, userInfo } from "node:os";
import type { Environment } from "../../lib/settings/settings.js";

/** Who sits here, for the ledger: `alice@edge1`, also when she became root to do it. */
export function nameOperator(env: Environment): string {
  return `${env.SUDO_USER ?? loginName()}@${hostname()}`;
}

function loginName(): string {
  try {
    return userInfo().username;
  } catch {
    return "somebody"; // A user id without an account, as in some containers.
  }
}
