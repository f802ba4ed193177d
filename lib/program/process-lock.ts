import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseJson } from "../redis/stream-entry.js";
import {
  identifyProcess,
  isStillRunning,
  processIdentity,
} from "./process-identity.js";

/**
 * Takes a lock for this process; one that a dead process has left behind counts as free.
 *
 * @returns what releases the lock, or the pid of the process that holds it
 */
export function takeLock(path: string): (() => void) | number {
  mkdirSync(dirname(path), { recursive: true });
  if (!tryWrite(path)) {
    const content = parseJson(readFileSync(path, "utf8"));
    const { data: owner } = processIdentity.safeParse(content);
    if (owner !== undefined && isStillRunning(owner)) return owner.pid;
    rmSync(path);
    if (!tryWrite(path)) return takeLock(path);
  }
  return () => rmSync(path, { force: true });
}

function tryWrite(path: string): boolean {
  try {
    const owner = JSON.stringify(identifyProcess(process.pid));
    writeFileSync(path, owner, { flag: "wx" });
    return true;
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw err;
  }
}
