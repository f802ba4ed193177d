import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

/** How the agent identifies the app's process. */
export type ProcessPointer =
  | { kind: "pid"; pid: number }
  | { kind: "pidfile"; path: string }
  | { kind: "unit"; unit: string };

export interface LookUpLimits {
  timeoutMs: number;
  signal: AbortSignal;
}

/** @returns null while the app is not running @throws if that cannot be determined */
export type FindPid = (limits: LookUpLimits) => Promise<number | null>;

/** Looks up the pid at each call, and thus follows restarts of the app. */
export function createPidFinder(pointer: ProcessPointer): FindPid {
  switch (pointer.kind) {
    case "pid":
      return () => Promise.resolve(pointer.pid);
    case "pidfile":
      return () => readPidfile(pointer.path);
    case "unit":
      return (limits) => askSystemd(pointer.unit, limits);
  }
}

async function readPidfile(path: string): Promise<number | null> {
  try {
    return parsePid(await readFile(path, "utf8"));
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw err;
  }
}

async function askSystemd(
  unit: string,
  limits: LookUpLimits,
): Promise<number | null> {
  const { stdout } = await promisify(execFile)(
    "systemctl",
    ["show", "-p", "MainPID", "--value", unit],
    { timeout: limits.timeoutMs, signal: limits.signal },
  );
  return parsePid(stdout);
}

/** Parses the first line, because some pidfiles have more. systemd reports 0 for a unit that is not running. */
function parsePid(text: string): number | null {
  const [line = ""] = text.split("\n");
  const pid = /^\d{1,7}$/.test(line.trim()) ? Number(line) : 0;
  return pid === 0 ? null : pid;
}
