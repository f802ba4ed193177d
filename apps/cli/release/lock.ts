import { join } from "node:path";
import { takeLock } from "../../../lib/program/process-lock.js";
import { cacheFolder } from "../../../lib/program/user-folders.js";
import type { Environment } from "../../../lib/settings/settings.js";
import { CliError, EXIT } from "../exit-status.js";

/** Takes the right to change a service from this machine. @returns what gives it back @throws CliError if another process has it */
export function lock(service: string, env: Environment): () => void {
  const path = join(cacheFolder(env), `${service}.lock`);
  const taken = takeLock(path);
  if (typeof taken === "function") return taken;
  throw new CliError(
    EXIT.refused,
    `process ${taken} changes ${service} already: wait for its end (${path})`,
  );
}
