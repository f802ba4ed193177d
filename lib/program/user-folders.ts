import { accessSync, constants } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../settings/settings.js";

/** Serin's folder in the user's cache. */
export function cacheFolder({ HOME, XDG_CACHE_HOME }: Environment): string {
  return join(XDG_CACHE_HOME ?? join(HOME ?? homedir(), ".cache"), "serin");
}

/**
 * Where running processes of the user leave their addresses: in the session's folder if there is one, and otherwise in the
 * cache, for shells without a session.
 */
export function runtimeFolders(env: Environment): [string, ...string[]] {
  const cache = join(cacheFolder(env), "run");
  const { XDG_RUNTIME_DIR: session } = env;
  return session !== undefined && isWritable(session)
    ? [join(session, "serin"), cache]
    : [cache];
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
