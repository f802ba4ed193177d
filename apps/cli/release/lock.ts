import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { Environment } from "../../../lib/settings/settings.js";
import { CliError, EXIT } from "../exit-status.js";

/** Takes the right to change a service from this machine. @returns what gives it back @throws CliError if another process has it */
export function lock(service: string, env: Environment): () => void {
  const cache = env.XDG_CACHE_HOME ?? join(env.HOME ?? homedir(), ".cache");
  const path = join(cache, "serin", `${service}.lock`);
  mkdirSync(dirname(path), { recursive: true });
  if (!tryWrite(path)) {
    const owner = Number(readFileSync(path, "utf8"));
    if (isRunning(owner))
      throw new CliError(
        EXIT.refused,
        `process ${owner} changes ${service} already: wait for its end (${path})`,
      );
    rmSync(path);
    if (!tryWrite(path)) return lock(service, env);
  }
  return () => rmSync(path, { force: true });
}

function tryWrite(path: string): boolean {
  try {
    writeFileSync(path, String(process.pid), { flag: "wx" });
    return true;
  } catch (err) {
    if (err instanceof Error && "code" in err && err.code === "EEXIST")
      return false;
    throw err;
  }
}

function isRunning(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (err) {
    return err instanceof Error && "code" in err && err.code === "EPERM";
  }
}
