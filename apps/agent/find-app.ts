import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { ListenerFinder } from "../../lib/program/find-listener.js";

/** How the agent identifies the app's process. */
export type ProcessPointer =
  | { kind: "pid"; pid: number }
  | { kind: "pidfile"; path: string }
  | { kind: "unit"; unit: string }
  | { kind: "listener"; url: URL };

export interface LookUpLimits {
  timeoutMs: number;
  signal: AbortSignal;
}

/** Where the app's processes are: all descend from one, or are in the cgroup of its unit. */
export interface AppLocation {
  pid: number;
  /** Its path below the hierarchy's root, such as `/system.slice/app.service`. */
  cgroup?: string;
}

/**
 * @returns null while the app is not running
 * @throws HiddenListener if its process cannot be seen from here, and other errors if looking it up fails
 */
export type FindApp = (limits: LookUpLimits) => Promise<AppLocation | null>;

/** Looks up the pid at each call, and thus follows restarts of the app. */
export function createAppFinder(pointer: ProcessPointer): FindApp {
  switch (pointer.kind) {
    case "pid":
      return () => Promise.resolve({ pid: pointer.pid });
    case "pidfile":
      return () => readPidfile(pointer.path);
    case "unit":
      return (limits) => askSystemd(pointer.unit, limits);
    case "listener":
      return findListening(pointer.url);
  }
}

async function readPidfile(path: string): Promise<AppLocation | null> {
  try {
    const pid = parsePid(await readFile(path, "utf8"));
    return pid === null ? null : { pid };
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw err;
  }
}

function findListening(url: URL): FindApp {
  const finder = new ListenerFinder(url);
  return async () => {
    const pid = await finder.find();
    return pid === null ? null : { pid };
  };
}

async function askSystemd(
  unit: string,
  limits: LookUpLimits,
): Promise<AppLocation | null> {
  const { stdout } = await promisify(execFile)(
    "systemctl",
    ["show", "-p", "MainPID", "-p", "ControlGroup", unit],
    { timeout: limits.timeoutMs, signal: limits.signal },
  );
  const read = (name: string) =>
    new RegExp(`^${name}=(.+)$`, "m").exec(stdout)?.[1];
  const pid = parsePid(read("MainPID") ?? "");
  const cgroup = read("ControlGroup");
  if (pid === null) return null;
  return cgroup === undefined ? { pid } : { pid, cgroup };
}

/** Parses the first line, because some pidfiles have more. systemd reports 0 for a unit that is not running. */
function parsePid(text: string): number | null {
  const [line = ""] = text.split("\n");
  const pid = /^\d{1,7}$/.test(line.trim()) ? Number(line) : 0;
  return pid === 0 ? null : pid;
}
